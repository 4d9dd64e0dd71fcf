package migrate_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/migrate"
)

// cutting ends a context at the nth step, before it is made or right after.
type cutting struct {
	*memdriver.Driver
	n      int
	after  bool
	cancel context.CancelFunc
	steps  int
}

func (c *cutting) Load(ctx context.Context, l driver.Load) error {
	if c.steps++; c.steps == c.n && !c.after {
		c.cancel()
	}
	err := c.Driver.Load(ctx, l)
	if c.steps == c.n && c.after {
		c.cancel()
		return errors.Join(driver.ErrUnknown, err)
	}
	return err
}

// Promise: a run that ends at any step, before or after it was made, goes on
// and ends as one that was not interrupted.
func TestCutAtEachStep(t *testing.T) {
	from := source(t, filled(t, 12))
	whole := memdriver.Open()
	want, err := migrate.Run(t.Context(), from, whole, migrate.Options{})
	must(t, err)
	for _, after := range []bool{false, true} {
		to, cuts := memdriver.Open(), 0
		for n := 1; ; n++ {
			ctx, cancel := context.WithCancel(t.Context())
			// A step a run, so that each is cut once.
			r, err := migrate.Run(ctx, from, &cutting{Driver: to, n: 1 + n%2, after: after, cancel: cancel},
				migrate.Options{StepParts: 40})
			cancel()
			if err == nil {
				if r.Digest != want.Digest || r.Sums != want.Sums {
					t.Errorf("after %d cuts: %+v, want %+v", cuts, r, want)
				}
				break
			}
			if cuts++; cuts > 1000 || !errors.Is(err, context.Canceled) && !errors.Is(err, driver.ErrUnknown) {
				t.Fatalf("cut %d: %v", cuts, err)
			}
		}
		if cuts < 5 {
			t.Errorf("only %d cuts", cuts)
		}
		if _, err := migrate.Compare(t.Context(), whole, to); err != nil {
			t.Error(err)
		}
		if r, err := migrate.Run(t.Context(), from, to, migrate.Options{}); err != nil || !r.Present ||
			r.Digest != want.Digest {
			t.Errorf("repeated: %+v, %v", r, err)
		}
	}
}

// Variables that make TestKilled the other process of itself.
const (
	envFrom = "SESHAT_TEST_MIGRATE_FROM"
	envTo   = "SESHAT_TEST_MIGRATE_TO"
)

// Promise: a process that is killed in the midst of it leaves a destination
// that no store opens, and that the next one completes.
func TestKilled(t *testing.T) {
	if to := os.Getenv(envTo); to != "" {
		migrateUntilKilled(t, os.Getenv(envFrom), to)
		return
	}
	path, to := filled(t, 60), filepath.Join(t.TempDir(), "to.db")
	from := source(t, path)
	killed := 0
	for range 12 {
		if killedIn(t, path, to, rand.IntN(20)) {
			killed++
		}
		if s, err := seshat.Open(to, seshat.Options{}); !errors.Is(err, seshat.ErrFormat) {
			if err == nil {
				err = s.Close()
			}
			t.Fatalf("a store opened on half a copy: %v", err)
		}
	}
	if killed < 10 {
		t.Errorf("killed only %d times", killed)
	}
	d := bolt(t, to, boltdriver.Options{})
	r, err := migrate.Run(t.Context(), from, d, migrate.Options{})
	must(t, err)
	if !r.Resumed {
		t.Error("it began anew")
	}
	if shows(t, from) != shows(t, d) {
		t.Error("the copy shows something else")
	}
}

// killedIn kills a migration after so many words of progress.
func killedIn(t *testing.T, from, to string, words int) bool {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestKilled$", "-test.count=1")
	cmd.Env = append(os.Environ(), envFrom+"="+from, envTo+"="+to)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	for s := bufio.NewScanner(out); words >= 0 && s.Scan(); words-- {
	}
	must(t, errors.Join(cmd.Process.Kill()))
	return cmd.Wait() != nil
}

// migrateUntilKilled is slow to end: it says each small step and never the
// last, so that it is killed before.
func migrateUntilKilled(t *testing.T, from, to string) {
	steps := 0
	r, err := migrate.Run(t.Context(), source(t, from), bolt(t, to, boltdriver.Options{}), migrate.Options{
		StepParts: 10,
		Progress: func(p migrate.Progress) {
			_, _ = os.Stdout.WriteString("step\n")
			if steps++; steps > 21 || p.Stage == migrate.Comparing {
				select {} // until the kill
			}
		},
	})
	t.Errorf("it ended: %+v, %v", r, err)
}

// Promise: what is damaged is an error, what was copied before stays, and once
// the source is whole again the copy is completed.
func TestDamaged(t *testing.T) {
	path := filled(t, 10)
	whole, err := os.ReadFile(path)
	must(t, err)
	bad := bytes.ReplaceAll(whole, []byte("What now?"), []byte("What new?")) // one may be on a page that is free
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	must(t, os.WriteFile(damaged, bad, 0o600))
	to := memdriver.Open()
	_, err = migrate.Run(t.Context(), source(t, damaged), to, migrate.Options{StepParts: 20})
	if !errors.Is(err, driver.ErrCorrupt) {
		t.Fatalf("a damaged message: %v", err)
	}
	r, err := migrate.Run(t.Context(), source(t, path), to, migrate.Options{})
	must(t, err)
	if !r.Resumed {
		t.Error("it began anew")
	}
	_, err = migrate.Compare(t.Context(), source(t, path), to)
	must(t, err)
}
