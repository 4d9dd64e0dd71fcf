package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// place identifies a return of an error. It stays the same when lines move.
type place struct{ file, function, text string }

// block is a block of statements that a profile counts.
type block struct {
	from, to [2]int // line, column
	taken    bool
}

var profiled = regexp.MustCompile(`(?m)^(\S+\.go):(\d+)\.(\d+),(\d+)\.(\d+) \d+ (\d+)$`)

// blocks parses a profile and groups its blocks by the end of the file's path.
// Each test binary may have a line for a block.
func blocks(profile string) map[string][]block {
	of := map[string]map[[4]int]bool{}
	for _, m := range profiled.FindAllStringSubmatch(profile, -1) {
		var at [4]int
		for i := range at {
			at[i], _ = strconv.Atoi(m[2+i])
		}
		if of[m[1]] == nil {
			of[m[1]] = map[[4]int]bool{}
		}
		of[m[1]][at] = of[m[1]][at] || m[6] != "0"
	}
	all := map[string][]block{}
	for file, counted := range of {
		for at, taken := range counted {
			all[file] = append(all[file], block{[2]int{at[0], at[1]}, [2]int{at[2], at[3]}, taken})
		}
	}
	return all
}

// look returns the returns of errors that no test takes, and the number of
// those that tests take.
func look(root string, dirs []string, counted map[string][]block) (missed []place, taken int, err error) {
	found := map[place]bool{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			return nil, 0, err
		}
		for _, file := range files {
			name := path.Join(dir, filepath.Base(file))
			if bs := blocksOf(counted, name); bs != nil && !strings.HasSuffix(name, "_test.go") {
				n, err := lookAt(file, name, bs, found)
				if err != nil {
					return nil, 0, err
				}
				taken += n
			}
		}
	}
	return sorted(found), taken, nil
}

// blocksOf returns the blocks of a file of the root module.
func blocksOf(counted map[string][]block, name string) []block {
	const module = "github.com/seshatdb/seshat"
	return counted[path.Join(module, name)]
}

func lookAt(file, name string, bs []block, found map[place]bool) (taken int, err error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, file, source, 0)
	if err != nil {
		return 0, err
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			r, ok := n.(*ast.ReturnStmt)
			if !ok || !returnsError(r) {
				return true
			}
			at := files.Position(r.Pos())
			if hit, known := isTaken(bs, at.Line, at.Column); known && hit {
				taken++
			} else if known {
				found[place{name, functionName(fn), text(files, r)}] = true
			}
			return true
		})
	}
	return taken, nil
}

// returnsError reports whether the last result looks like an error: a name or a
// call that mentions one.
func returnsError(r *ast.ReturnStmt) bool {
	if len(r.Results) == 0 {
		return false
	}
	switch last := r.Results[len(r.Results)-1].(type) {
	case *ast.Ident:
		return strings.HasPrefix(strings.ToLower(last.Name), "err") || strings.HasSuffix(last.Name, "err")
	case *ast.UnaryExpr:
		lit, ok := last.X.(*ast.CompositeLit)
		return ok && speaks(lit.Type)
	case *ast.CompositeLit:
		return speaks(last.Type)
	case *ast.CallExpr:
		return speaks(last.Fun)
	case *ast.SelectorExpr:
		return strings.HasPrefix(last.Sel.Name, "Err")
	}
	return false
}

var errorWords = regexp.MustCompile(`(?i)error|^err|invalid|corrupt|fail|damage`)

func speaks(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return errorWords.MatchString(e.Name)
	case *ast.SelectorExpr:
		return errorWords.MatchString(e.Sel.Name)
	}
	return false
}

// isTaken finds the smallest block around a position and reports whether it
// ran.
func isTaken(bs []block, line, column int) (taken, known bool) {
	for _, b := range bs {
		after := line > b.from[0] || line == b.from[0] && column >= b.from[1]
		before := line < b.to[0] || line == b.to[0] && column < b.to[1]
		if after && before {
			taken = taken || b.taken
			known = true
		}
	}
	return taken, known
}

func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

func text(files *token.FileSet, n ast.Node) string {
	var b bytes.Buffer
	_ = printer.Fprint(&b, files, n)
	return strings.ReplaceAll(strings.Join(strings.Fields(b.String()), " "), "|", "¦")
}
