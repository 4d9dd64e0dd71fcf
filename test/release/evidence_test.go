package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Promise: runs add up, and none is lost when the next is noted.
func TestRunsAddUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "EVIDENCE.md")
	for n := range 3 {
		c := tally{}
		c.read("seed 1: 100 calls map[]\nseed 2: 7 images, 1 violations\n3 of 4 faults came about\n5 kills, 9 sessions\n--- SKIP: x")
		if err := note(path, newRow(c, uint64(n), 1, time.Second, n == 1)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(text), "| total |  |  |  |  |  | 300 | 21 | 9 | 15 | 0 | 3 | 3 |\n") {
		t.Errorf("got\n%s", text)
	}
	if strings.Count(string(text), "passed") != 2 || strings.Count(string(text), "FAILED") != 1 {
		t.Errorf("got\n%s", text)
	}
}
