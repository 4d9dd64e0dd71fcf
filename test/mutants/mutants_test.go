package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Promise: each planted bug still fits the code, so none is skipped silently.
func TestMutantsFitTheCode(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		source, err := os.ReadFile(filepath.Join("..", base, m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), m.from); n != 1 {
			t.Errorf("%s: %s holds what is to be changed %d times, want once", m.name, m.file, n)
		}
		if names[m.name] {
			t.Errorf("%s: twice", m.name)
		}
		names[m.name] = true
	}
}

// Promise: the documented table of planted bugs agrees with the code.
func TestTableIsCurrent(t *testing.T) {
	text, err := os.ReadFile("../MUTANTS.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != table() {
		t.Error("MUTANTS.md is not what go run ./mutants -list prints")
	}
}
