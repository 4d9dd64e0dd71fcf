package meta

import (
	"context"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/internal/fixture"
)

// compareDumps compares the final content of all worlds and checks them.
func compareDumps(t *testing.T, seed uint64, worlds []*world) {
	t.Helper()
	ctx, want := context.Background(), ""
	for i, w := range worlds {
		if w.kind.exported {
			continue
		}
		got, err := fixture.Dump(ctx, w.s, fixture.DumpOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = got
		}
		if line := firstDifference(got, want); line != "" {
			t.Errorf("seed %d, at the end, %s: %s", seed, w.kind.name, line)
		}
		noFindings(t, w)
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] + "\nwant " + b[i]
		}
	}
	if len(a) != len(b) {
		return "one is longer"
	}
	return ""
}

func noFindings(t *testing.T, w *world) {
	t.Helper()
	var r seshat.CheckReport
	r, err := w.s.Check(context.Background())
	if err != nil || len(r.Findings) > 0 {
		t.Errorf("%s: %v %v", w.kind.name, r.Findings, err)
	}
}
