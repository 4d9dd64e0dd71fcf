package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the command start itself, which it does to measure an open.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "-probe" {
		probe(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// The whole command runs, and its results have every peer and every section.
func TestQuickRunWritesItsResults(t *testing.T) {
	out := t.TempDir()
	c, err := parse([]string{"-quick", "-dir", t.TempDir(), "-out", out})
	if err != nil {
		t.Fatal(err)
	}
	if err := run(c); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(out, "RESULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| Seshat |", "bbolt, record alone", "scs boltstore", "ADK SQLite", "Badger", "Pebble", "the limit",
		"## Aims", "## Pages written", "## Reads under", "## Latency against size", "## Sweep and open",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the results lack %q", want)
		}
	}
	if strings.Contains(string(b), "NaN") {
		t.Error("a figure is not a number")
	}
	for _, name := range []string{"throughput.svg", "latency.svg"} {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || strings.Count(string(b), "<polyline") < 5 || strings.Contains(string(b), "NaN") {
			t.Errorf("%s: %v, %d lines", name, err, strings.Count(string(b), "<polyline"))
		}
	}
}
