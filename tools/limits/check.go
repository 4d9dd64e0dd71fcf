package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	maxFileLines = 500
	maxFuncLines = 60
	maxRootLines = 6000 // lines of code in the root package: no tests, comments or blank lines
)

// A report collects what one walk over the repository found.
type report struct {
	breaches  []string
	files     int
	rootLines int
	funcLines []int
}

func check(tree fs.FS) (*report, error) {
	r := &report{}
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
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return r.file(name, src)
	})
	if r.rootLines >= maxRootLines {
		r.breach("root package: %d lines of code, limit %d", r.rootLines, maxRootLines)
	}
	return r, err
}

func skipDir(name, base string) error {
	if base == "testdata" || name != "." && strings.HasPrefix(base, ".") {
		return fs.SkipDir
	}
	return nil
}

func (r *report) file(name string, src []byte) error {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, src, parser.ParseComments)
	if err != nil {
		return err
	}
	if ast.IsGenerated(f) {
		return nil
	}
	lines := bytes.Count(src, []byte("\n"))
	r.files++
	if lines > maxFileLines {
		r.breach("%s: %d lines, limit %d", name, lines, maxFileLines)
	}
	if !strings.Contains(name, "/") && !strings.HasSuffix(name, "_test.go") {
		r.rootLines += codeLines(src)
	}
	r.functions(set, f)
	if isTestCode(name) && !imports(f, "testing/synctest") {
		r.sleeps(set, f)
	}
	return nil
}

// codeLines counts the lines on which a token begins.
func codeLines(src []byte) int {
	set := token.NewFileSet()
	file := set.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	n, last := 0, 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return n
		}
		if line := file.Line(pos); line != last && !(tok == token.SEMICOLON && lit == "\n") {
			n, last = n+1, line
		}
	}
}

// isTestCode is true of tests and of packages that exist only for tests, such as storetest.
func isTestCode(name string) bool {
	return strings.HasSuffix(name, "_test.go") || strings.HasSuffix(path.Dir(name), "test")
}

func imports(f *ast.File, pkg string) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool {
		return i.Path.Value == `"`+pkg+`"`
	})
}

func (r *report) functions(set *token.FileSet, f *ast.File) {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		lines := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1
		r.funcLines = append(r.funcLines, lines)
		if lines > maxFuncLines {
			r.breach("%s: %s has %d lines, limit %d", set.Position(fn.Pos()), fn.Name.Name, lines, maxFuncLines)
		}
	}
}

// sleeps is for files outside synctest, where a sleep waits on the wall clock.
func (r *report) sleeps(set *token.FileSet, f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != "Sleep" {
			return true
		}
		if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "time" {
			r.breach("%s: time.Sleep in a test outside testing/synctest", set.Position(s.Pos()))
		}
		return true
	})
}

func (r *report) breach(format string, args ...any) {
	r.breaches = append(r.breaches, fmt.Sprintf(format, args...))
}

func (r *report) summary() string {
	return fmt.Sprintf("%d files, %d functions of %d lines in the median, root package %d lines, %d breaches",
		r.files, len(r.funcLines), median(r.funcLines), r.rootLines, len(r.breaches))
}

func median(lengths []int) int {
	if len(lengths) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(lengths))
	return sorted[len(sorted)/2]
}
