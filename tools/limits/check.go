package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A kind is the name of one limit, as the report prints it.
type kind string

const (
	longFile      kind = "file over 500 lines"
	longFunc      kind = "function over 60 lines"
	longComment   kind = "comment over 80 columns"
	longLine      kind = "line over 120 columns"
	packedAssigns kind = "packed assignments"
	undocumented  kind = "exported without comment"
	sleepingTest  kind = "sleep in a test"
)

const (
	maxFileLines = 500
	maxFuncLines = 60
)

// A breach is one place that is outside a limit.
type breach struct {
	kind  kind
	place string // file:line, or the directory if it is about a sum
	text  string
}

func (b breach) String() string { return b.place + ": " + b.text }

// A report collects what one walk over the repository found.
type report struct {
	breaches  []breach
	files     int
	funcLines []int
	packed    map[string]*packedCount // by area
}

// A source is one parsed file.
type source struct {
	name string
	text []byte
	set  *token.FileSet
	file *ast.File
}

func (s *source) place(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.name, s.set.Position(pos).Line)
}

func (s *source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// check walks over all Go files of the tree, except generated ones, test data
// and folders whose names begin with a dot.
func check(tree fs.FS) (*report, error) {
	r := &report{packed: map[string]*packedCount{}}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(name, d.Name())
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return r.checkFile(name, text)
	})
	r.checkPacked()
	return r, err
}

func skipDir(name, base string) error {
	if base == "testdata" || name != "." && strings.HasPrefix(base, ".") {
		return fs.SkipDir
	}
	return nil
}

func (r *report) checkFile(name string, text []byte) error {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	if ast.IsGenerated(f) {
		return nil
	}
	s := &source{name: name, text: text, set: set, file: f}
	r.files++
	r.checkLines(s)
	r.checkFunctions(s)
	if !s.isTest() {
		r.countPacked(s)
		r.checkDocs(s)
	}
	if isTestCode(name) && !imports(f, "testing/synctest") {
		r.checkSleeps(s)
	}
	return nil
}

// isTestCode is true of tests and of packages that exist only for tests, such
// as storetest.
func isTestCode(name string) bool {
	return strings.HasSuffix(name, "_test.go") || strings.HasSuffix(path.Dir(name), "test")
}

func imports(f *ast.File, pkg string) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool {
		return i.Path.Value == `"`+pkg+`"`
	})
}

func (r *report) checkFunctions(s *source) {
	for _, d := range s.file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		lines := s.set.Position(fn.End()).Line - s.set.Position(fn.Pos()).Line + 1
		r.funcLines = append(r.funcLines, lines)
		if lines > maxFuncLines {
			r.add(longFunc, s.place(fn.Pos()), "%s has %d lines, limit %d", fn.Name.Name, lines, maxFuncLines)
		}
	}
}

// checkSleeps is for files outside synctest, where a sleep waits on the wall
// clock.
func (r *report) checkSleeps(s *source) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Sleep" {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
			r.add(sleepingTest, s.place(sel.Pos()), "time.Sleep in a test outside testing/synctest")
		}
		return true
	})
}

func (r *report) add(k kind, place, format string, args ...any) {
	r.breaches = append(r.breaches, breach{kind: k, place: place, text: fmt.Sprintf(format, args...)})
}
