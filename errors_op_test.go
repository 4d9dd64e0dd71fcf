package seshat

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
)

// failsToStart is an engine whose reads all fail.
type failsToStart struct{ *memdriver.Driver }

func (failsToStart) Entries(context.Context, driver.EntryQuery) ([]driver.Entry, error) {
	return nil, ErrCorrupt
}

// functions are calls that fail of the package's functions. Storetest has the
// methods.
var functions = map[string][]func(ctx context.Context, dir string) error{
	"Open": {
		func(context.Context, string) error { _, err := Open("", Options{}); return err },
		func(_ context.Context, dir string) error { _, err := Open(dir, Options{}); return err },
	},
	"OpenMemory": {
		func(context.Context, string) error { _, err := OpenMemory(Options{SweepEvery: -2}); return err },
	},
	"OpenDriver": {
		func(context.Context, string) error { _, err := OpenDriver(nil, Options{}); return err },
		func(context.Context, string) error {
			_, err := OpenDriver(memdriver.Open(), Options{SweepEvery: -2})
			return err
		},
		func(context.Context, string) error {
			_, err := OpenDriver(failsToStart{memdriver.Open()}, Options{})
			return err
		},
	},
	"RestoreBackup": {
		func(_ context.Context, dir string) error { return RestoreBackup(nil, dir, dir) }, //nolint:staticcheck // nil
		func(ctx context.Context, dir string) error { return RestoreBackup(ctx, dir, dir) },
	},
	"Verify": {
		func(_ context.Context, dir string) error { _, err := Verify(nil, dir); return err }, //nolint:staticcheck
		func(ctx context.Context, dir string) error { _, err := Verify(ctx, dir); return err },
	},
	"Salvage": {
		func(_ context.Context, dir string) error { _, err := Salvage(nil, dir, dir); return err }, //nolint:staticcheck
		func(ctx context.Context, dir string) error { _, err := Salvage(ctx, dir, dir); return err },
	},
}

// Promise: an error of a function of the package names that function once.
func TestFunctionsNameThemselvesInErrors(t *testing.T) {
	for name, calls := range functions {
		for i, call := range calls {
			err := call(t.Context(), t.TempDir())
			outer, ok := err.(*Error)
			if !ok || outer.Op != name {
				t.Errorf("call %d of %s: got error %#v", i, name, err)
				continue
			}
			var inner *Error
			if errors.As(outer.Err, &inner) {
				t.Errorf("call %d of %s: the error %q is wrapped twice", i, name, err)
			}
		}
	}
}

// Promise: the table has every exported function that opens or reads a file.
func TestFunctionTableIsComplete(t *testing.T) {
	missing := map[string]bool{}
	for name := range functions {
		missing[name] = true
	}
	for _, name := range exportedFunctionsThatFail(t) {
		// Errors of DocumentAs are about a value, not about a call on a store.
		if _, ok := functions[name]; !ok && name != "DocumentAs" {
			t.Errorf("%s is not in the table", name)
		}
		delete(missing, name)
	}
	for name := range missing {
		t.Errorf("%s is in the table, but there is no such function", name)
	}
}

// exportedFunctionsThatFail returns the functions of this package whose last
// result is an error.
func exportedFunctionsThatFail(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(errors.Join(err, fs.ErrNotExist))
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !fn.Name.IsExported() || fn.Type.Results == nil {
				continue
			}
			results := fn.Type.Results.List
			if last, ok := results[len(results)-1].Type.(*ast.Ident); ok && last.Name == "error" {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}
