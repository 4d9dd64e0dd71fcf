package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/internal/fixture"
	"github.com/seshatdb/seshat/migrate"
	"github.com/seshatdb/seshat/postgres"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// filled returns the path of a file with a store that holds a little of
// everything, and real conversations if they are here.
func filled(t *testing.T, sessions int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "filled.db")
	s, err := seshat.Open(path, seshat.Options{SweepEvery: seshat.Never})
	must(t, err)
	must(t, fixture.Fill(t.Context(), s, sessions))
	if _, err := fixture.Conversations(t.Context(), s); errors.Is(err, fs.ErrNotExist) {
		t.Logf("PARTLY NOT TESTED: the real conversations are not here: %v", err)
	} else {
		must(t, err)
	}
	must(t, s.Close())
	return path
}

func bolt(t *testing.T, path string, o boltdriver.Options) *boltdriver.Driver {
	t.Helper()
	d, err := boltdriver.Open(path, o)
	must(t, err)
	t.Cleanup(func() { closed(t, d) })
	return d
}

// shows returns all that a store on d shows.
func shows(t *testing.T, d driver.Driver) string {
	t.Helper()
	audit(t, d.(driver.Checker))
	s, err := seshat.OpenDriver(unclosed{d}, seshat.Options{SweepEvery: seshat.Never, ReadOnly: true})
	must(t, err)
	defer s.Close()
	all, err := fixture.Dump(t.Context(), s, fixture.DumpOptions{})
	must(t, err)
	return all
}

// unclosed outlives the store that was opened on it.
type unclosed struct{ driver.Driver }

func (unclosed) Close() error { return nil }

// empty returns options of a schema of the test's own, and where it is.
func empty(t *testing.T) (dsn string, o postgres.Options) {
	t.Helper()
	dsn = database(t)
	return dsn, postgres.Options{Schema: schemas.Get(t, dsn, 0)}
}

// TestMoved moves a store from a file into the database and back into another
// file: at each stop it shows the same and is sound.
func TestMoved(t *testing.T) {
	t.Parallel()
	from := bolt(t, filled(t, 30), boltdriver.Options{ReadOnly: true})
	dsn, o := empty(t)
	there := open(t, dsn, o)
	first, err := migrate.Run(t.Context(), from, there, migrate.Options{})
	must(t, err)
	want := shows(t, from)
	if shows(t, there) != want {
		t.Error("the database shows something else")
	}
	must(t, there.Close())
	o.ReadOnly = true
	there = open(t, dsn, o)
	back := bolt(t, filepath.Join(t.TempDir(), "back.db"), boltdriver.Options{})
	second, err := migrate.Run(t.Context(), there, back, migrate.Options{})
	must(t, err)
	if shows(t, back) != want {
		t.Error("the second file shows something else")
	}
	if first.Digest != second.Digest || first.Sums != second.Sums || first.Sessions < 60 {
		t.Errorf("there %+v, back %+v", first, second)
	}
	if _, err := migrate.Compare(t.Context(), from, back); err != nil {
		t.Error(err)
	}
}

// TestMovedInSteps ends a move at every second step, and goes on.
func TestMovedInSteps(t *testing.T) {
	t.Parallel()
	from := bolt(t, filled(t, 10), boltdriver.Options{ReadOnly: true})
	dsn, o := empty(t)
	for range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		steps, to := 0, open(t, dsn, o)
		_, err := migrate.Run(ctx, from, to, migrate.Options{StepParts: 30, Progress: func(migrate.Progress) {
			if steps++; steps > 2 {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) && !errors.Is(err, driver.ErrUnknown) {
			t.Fatal(err)
		}
		if _, err := seshat.OpenDriver(unclosed{to}, seshat.Options{}); !errors.Is(err, seshat.ErrFormat) {
			t.Fatalf("a store opened on half a copy: %v", err)
		}
	}
	to := open(t, dsn, o)
	r, err := migrate.Run(t.Context(), from, to, migrate.Options{})
	must(t, err)
	if !r.Resumed || shows(t, from) != shows(t, to) {
		t.Errorf("resumed %v, or it shows something else", r.Resumed)
	}
	r, err = migrate.Run(t.Context(), from, to, migrate.Options{})
	if err != nil || !r.Present {
		t.Errorf("repeated: %+v, %v", r.Sums, err)
	}
}

// Variables that make TestMoverKilled the other process of itself.
const (
	envMoveFrom   = "SESHAT_TEST_MOVE_FROM"
	envMoveDSN    = "SESHAT_TEST_MOVE_DSN"
	envMoveSchema = "SESHAT_TEST_MOVE_SCHEMA"
)

// TestMoverKilled kills the process that moves: the next one completes it.
func TestMoverKilled(t *testing.T) {
	if from := os.Getenv(envMoveFrom); from != "" {
		moveUntilKilled(t, from)
		return
	}
	path := filled(t, 10)
	dsn, o := empty(t)
	for words := range 8 {
		killMover(t, path, dsn, o.Schema, words)
	}
	from, to := bolt(t, path, boltdriver.Options{ReadOnly: true}), open(t, dsn, o)
	r, err := migrate.Run(t.Context(), from, to, migrate.Options{})
	must(t, err)
	if !r.Resumed || shows(t, from) != shows(t, to) {
		t.Errorf("resumed %v, or it shows something else", r.Resumed)
	}
}

// killMover kills a mover after so many words of progress.
func killMover(t *testing.T, from, dsn, schema string, words int) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestMoverKilled$", "-test.count=1")
	cmd.Env = append(os.Environ(), envMoveFrom+"="+from, envMoveDSN+"="+dsn, envMoveSchema+"="+schema)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	s := bufio.NewScanner(out)
	for ; words >= 0 && s.Scan(); words-- {
	}
	must(t, cmd.Process.Kill())
	if err := cmd.Wait(); err == nil || words >= 0 {
		t.Errorf("it ended before it was killed: %v, %s", err, s.Text())
	}
}

func moveUntilKilled(t *testing.T, from string) {
	to := open(t, os.Getenv(envMoveDSN), postgres.Options{Schema: os.Getenv(envMoveSchema)})
	r, err := migrate.Run(t.Context(), bolt(t, from, boltdriver.Options{ReadOnly: true}), to, migrate.Options{
		StepParts: 10,
		Progress: func(p migrate.Progress) {
			_, _ = os.Stdout.WriteString("step\n")
			if p.Stage == migrate.Comparing {
				select {} // until the kill
			}
		},
	})
	t.Errorf("it ended: %+v, %v", r.Sums, err)
}

// TestMovedOverRestart kills the server in the midst of a move, which goes on
// once that is back.
func TestMovedOverRestart(t *testing.T) {
	server := started(t)
	from := bolt(t, filled(t, 10), boltdriver.Options{ReadOnly: true})
	to, steps := open(t, server.DSN(), postgres.Options{}), 0
	_, err := migrate.Run(t.Context(), from, to, migrate.Options{StepParts: 10, Progress: func(migrate.Progress) {
		if steps++; steps == 3 {
			must(t, server.Kill())
		}
	}})
	if err == nil {
		t.Fatal("it ended without a server")
	}
	must(t, server.Start())
	r, err := migrate.Run(t.Context(), from, to, migrate.Options{})
	must(t, err)
	if !r.Resumed || shows(t, from) != shows(t, to) {
		t.Errorf("resumed %v, or it shows something else", r.Resumed)
	}
}

// TestMoveRefusesText names what the engine cannot keep, and where.
func TestMoveRefusesText(t *testing.T) {
	t.Parallel()
	from := bolt(t, filepath.Join(t.TempDir(), "odd.db"), boltdriver.Options{})
	must(t, from.Load(t.Context(),
		driver.Load{Parts: []driver.Part{{Kind: driver.PartRecord, Namespace: 1, Record: driver.Record{
			Key: driver.Key{Namespace: 1, ID: "a\x00"}, Incarnation: driver.Incarnation{1}, Due: driver.Never,
			Expires: driver.Never,
		}}}}))
	dsn, o := empty(t)
	if _, err := migrate.Run(t.Context(), from, open(t, dsn, o), migrate.Options{}); !errors.Is(err,
		driver.ErrInvalid) {
		t.Errorf("a zero byte in an id: %v", err)
	}
}
