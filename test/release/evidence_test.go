package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Promise: noting a run adds it to the sums and keeps all earlier runs.
func TestRunsAddUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "EVIDENCE.md")
	for n := range 3 {
		c := tally{}
		c.read("seed 1: 100 calls map[]\nseed 2: 7 images, 1 violations, 4 continued\n3 of 4 faults came " +
			"about\n5 kills, 9 sessions\n6 power cuts, 1 kills\n2 fs cuts map\nseed 1: 9 model ops\nseed 1: 8 " +
			"metamorphic ops\nseed 1: 7 damage trials, 1 violations\nseed 1: 5 backups\n--- SKIP: x")
		if err := note(path, newRow(c, uint64(n), 1, time.Second, n == 1)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(text),
		"| total |  |  |  |  |  | 300 | 21 | 12 | 9 | 18 | 6 | 15 | 27 | 24 | 21 | 15 | 0 | 6 | 3 |\n") {
		t.Errorf("got\n%s", text)
	}
	if strings.Count(string(text), "passed") != 2 || strings.Count(string(text), "FAILED") != 1 {
		t.Errorf("got\n%s", text)
	}
}

// Promise: a file by a version that counted less, or other things, keeps its
// rows, and each number stays in its column.
func TestRowsOfOtherVersionsStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "EVIDENCE.md")
	other := "# What was run\n\n| date | commit | machine | seeds | took | outcome | images | cats | violations |\n" +
		"|---|---|---|---|---|---|---|---|---|\n| 2026-01-05 | abc | x | 1 | 2m | passed | 40 | 9 | 2 |\n| " +
		"total |  |  |  |  |  | 40 | 9 | 2 |\n"
	if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := note(path, newRow(tally{"images": 1, "calls": 7}, 1, 1, time.Second, false)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := rowsOf(string(text))
	if len(rows) != 2 || !strings.HasSuffix(string(text), "| 9 | 2 | 0 |\n") {
		t.Fatalf("got\n%s", text)
	}
	if got := rows[0].counts; got["images"] != 40 || got["cats"] != 9 || got["violations"] != 2 ||
		got["calls"] != 0 || rows[0].facts[1] != "abc" {
		t.Errorf("the older row became %v", rows[0])
	}
}
