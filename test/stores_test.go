package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// closers are the functions that check and close a store when its test ends.
var closers = []string{"Adopt", "adopt", "CheckAndClose", "checkAndClose", "openTenant"}

// Promise: every store that a test opens is checked and closed when the test
// ends, or a comment that begins with "by hand" gives the reason. Examples are
// exempt, because they show a user's code.
func TestEveryTestStoreIsCheckedAndClosed(t *testing.T) {
	opened := 0
	for _, dir := range []string{".", "storetest", "seshattest", "sessionhttp", "adk", "transfer", "examples"} {
		for _, path := range testFiles(t, filepath.Join("..", dir), dir != ".") {
			if strings.HasPrefix(filepath.Base(path), "example") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range file.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				opens, closes := storeCalls(fn, file.Name.Name)
				opened += len(opens)
				if closes || saysWhy(file, fn) {
					continue
				}
				for _, at := range opens {
					t.Errorf("%v: the store that is opened here is not handed to seshattest.Adopt",
						set.Position(at))
				}
			}
		}
	}
	if opened < 25 {
		t.Errorf("found only %d places that open a store", opened)
	}
}

// testFiles returns the Go files of tests in a directory: those that end in
// _test.go, and the suites. If deep is true, it includes the directories below.
func testFiles(t *testing.T, dir string, deep bool) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && (!deep || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		suite := slices.Contains([]string{"storetest", "httpsuite"}, filepath.Base(filepath.Dir(path)))
		if suite || strings.HasSuffix(path, "_test.go") {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// storeCalls returns the positions where a function opens stores, and whether
// it passes one to a closer.
func storeCalls(fn *ast.FuncDecl, pkg string) (opens []token.Pos, closes bool) {
	isOpen := func(name string) bool { return name == "Open" || name == "OpenMemory" || name == "OpenDriver" }
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			if pkg == "seshat" && isOpen(f.Name) {
				opens = append(opens, call.Pos())
			}
			closes = closes || slices.Contains(closers, f.Name)
		case *ast.SelectorExpr:
			if from, ok := f.X.(*ast.Ident); ok && from.Name == "seshat" && isOpen(f.Sel.Name) {
				opens = append(opens, call.Pos())
			}
			closes = closes || slices.Contains(closers, f.Sel.Name)
		}
		return true
	})
	return opens, closes
}

// saysWhy reports whether a comment in the function begins with "by hand".
func saysWhy(file *ast.File, fn *ast.FuncDecl) bool {
	return slices.ContainsFunc(file.Comments, func(c *ast.CommentGroup) bool {
		return c.Pos() > fn.Pos() && c.End() < fn.End() &&
			strings.HasPrefix(strings.ToLower(strings.TrimSpace(c.Text())), "by hand")
	})
}
