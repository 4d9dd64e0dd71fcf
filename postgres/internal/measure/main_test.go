package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

// TestRun makes a short measurement. Each call must have a row for each number
// of goroutines, with no more round trips than allowed.
func TestRun(t *testing.T) {
	c := config{
		out: filepath.Join(t.TempDir(), "RESULTS.md"), each: time.Millisecond, rounds: 1,
		sessions: sessionsOf, small: 500, large: 1000, later: time.Millisecond, goroutines: []int{1, 4},
	}
	err := run(context.Background(), c)
	if errors.Is(err, pgserver.ErrMissing) {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(c.out)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, c := range calls {
		want := " | 2 |\n"
		switch c.name {
		case "get", "count", "list 50 of a user":
			want = " | 1 |\n"
		}
		rows := 0
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "| "+c.name+" | ") && strings.HasSuffix(line, want) {
				rows++
			}
		}
		if rows != 2 {
			t.Errorf("%s has %d rows that end with %q, want %d", c.name, rows, want, 2)
		}
	}
	for _, r := range reads {
		if !strings.Contains(text, "\n| "+r.name+" | ") {
			t.Errorf("%s is missing", r.name)
		}
	}
}
