package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Promise: each change that removes a defence still fits the code, so its cost
// can be measured.
func TestDefencesFitTheCode(t *testing.T) {
	for _, d := range defences {
		for _, c := range d.changes {
			source, err := os.ReadFile(filepath.Join("..", "..", c.file))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), c.from); n != 1 {
				t.Errorf("%s: %s holds what is to be changed %d times, want once", d.name, c.file, n)
			}
		}
	}
}
