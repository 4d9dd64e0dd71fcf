package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = `package p

func f(x int) error {
	if x > 1 {
		return errBig
	}
	if x < 0 {
		return errSmall
	}
	return nil
}
`

// Promise: a return of an error is listed if and only if no test takes it, and
// its reason stays with it.
func TestUnreachedReturns(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	const file = "github.com/seshatdb/seshat/p.go:"
	counted := blocks("mode: set\n" + file + "3.21,4.11 1 1\n" + file + "4.11,6.3 1 0\n" + file + "4.11,6.3 1 1\n" +
		file + "7.11,9.3 1 0\n")
	missed, taken, err := look(dir, []string{"."}, counted)
	if err != nil {
		t.Fatal(err)
	}
	want := place{"p.go", "f", "return errSmall"}
	if len(missed) != 1 || missed[0] != want || taken != 1 {
		t.Errorf("missed %v, took %d", missed, taken)
	}
	if why := reasons(frame +
		"| p.go | f | `return errSmall` | never below zero |\n"); why[want] != "never below zero" {
		t.Errorf("reasons %v", why)
	}
}

// Promise: each listed return has a reason and is in an existing file.
func TestEachListedReturnHasAReason(t *testing.T) {
	listed, err := os.ReadFile(filepath.Join("..", list))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for at, why := range reasons(string(listed)) {
		if !strings.HasSuffix(at.file, ".go") {
			continue
		}
		n++
		if _, err := os.Stat(filepath.Join("..", base, at.file)); err != nil || why == "" {
			t.Errorf("%v: reason %q, %v", at, why, err)
		}
	}
	if n == 0 {
		t.Error("the list is empty")
	}
}
