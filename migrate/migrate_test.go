package migrate_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/internal/fixture"
	"github.com/seshatdb/seshat/migrate"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// filled returns the path of a file with a sample store of n sessions and more
// in each of two namespaces.
func filled(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "filled.db")
	s, err := seshat.Open(path, seshat.Options{SweepEvery: seshat.Never})
	must(t, err)
	must(t, fixture.Fill(t.Context(), s, n))
	must(t, s.Close())
	return path
}

// bolt opens a file, which is closed with the test.
func bolt(t testing.TB, path string, o boltdriver.Options) *boltdriver.Driver {
	t.Helper()
	d, err := boltdriver.Open(path, o)
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

func source(t testing.TB, path string) *boltdriver.Driver {
	return bolt(t, path, boltdriver.Options{ReadOnly: true})
}

func fresh(t testing.TB) *boltdriver.Driver {
	return bolt(t, filepath.Join(t.TempDir(), "fresh.db"), boltdriver.Options{})
}

// shows returns all that a store on d shows, which must have no finding.
func shows(t *testing.T, d driver.Driver) string {
	t.Helper()
	s, err := seshat.OpenDriver(unclosed{d, d.(driver.Checker)},
		seshat.Options{SweepEvery: seshat.Never, ReadOnly: true})
	must(t, err)
	defer s.Close()
	all, err := fixture.Dump(t.Context(), s, fixture.DumpOptions{})
	must(t, err)
	r, err := s.Check(t.Context())
	must(t, err)
	if len(r.Findings) > 0 || len(all) == 0 {
		t.Errorf("%s: %d bytes shown, findings %v", d.Caps().Name, len(all), r.Findings)
	}
	return all
}

// unclosed outlives the store that was opened on it.
type unclosed struct {
	driver.Driver
	driver.Checker
}

func (unclosed) Close() error { return nil }

// Promise: a store comes out of a file, through memory, and into another file
// as it was, down to what only drivers see.
func TestRoundTrip(t *testing.T) {
	from, between, to := source(t, filled(t, 40)), memdriver.Open(), fresh(t)
	want := shows(t, from)
	first, err := migrate.Run(t.Context(), from, between, migrate.Options{})
	must(t, err)
	second, err := migrate.Run(t.Context(), between, to, migrate.Options{StepParts: 7})
	must(t, err)
	if first.Digest != second.Digest || first.Sessions < 80 || first.Resumed || first.Present ||
		len(first.Namespaces) != 3 {
		t.Errorf("first %+v\nsecond %+v", first, second)
	}
	if between := shows(t, between); between != want {
		t.Error("memory shows something else")
	}
	if to := shows(t, to); to != want {
		t.Error("the second file shows something else")
	}
	if r, err := migrate.Compare(t.Context(), from, to); err != nil || r.Digest != first.Digest {
		t.Errorf("Compare: %v, %v", r, err)
	}
}

// Promise: a migrated store goes on: ids of messages that are gone are still
// known, numbers are not given again, leases hold, watchers go on.
func TestGoesOn(t *testing.T) {
	from, to := source(t, filled(t, 3)), memdriver.Open()
	_, err := migrate.Run(t.Context(), from, to, migrate.Options{})
	must(t, err)
	s, err := seshat.OpenDriver(to, seshat.Options{SweepEvery: seshat.Never})
	must(t, err)
	defer s.Close()
	tn, err := s.Tenant(t.Context(), seshat.Namespace{Name: "acme"})
	must(t, err)
	head, err := tn.FeedHead(t.Context())
	must(t, err)
	done, err := tn.AppendTurn(t.Context(), "odd",
		seshat.Turn{Messages: []seshat.Message{{ID: "odd 1", Role: seshat.RoleUser, Content: "1"}}})
	must(t, err)
	if !done.Repeated || done.First != 2 {
		t.Errorf("the id of a dropped message: %+v", done)
	}
	before, err := tn.Get(t.Context(), "chat 0001")
	must(t, err)
	after, err := tn.Append(t.Context(), "chat 0001", seshat.Message{Role: seshat.RoleUser, Content: "new"})
	must(t, err)
	if after.LastSeq != before.LastSeq+1 {
		t.Errorf("number %d after %d", after.LastSeq, before.LastSeq)
	}
	if _, err := tn.AcquireLease(t.Context(), "odd", "another", 1e9); !errors.Is(err, seshat.ErrLease) {
		t.Errorf("a lease is held: %v", err)
	}
	events, _, err := tn.Events(t.Context(), head, 10)
	must(t, err)
	if len(events) != 1 || events[0].Position != head+1 {
		t.Errorf("events after %d: %+v", head, events)
	}
}

// Promise: real conversations are the same afterwards.
func TestConversations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "airline.db")
	s, err := seshat.Open(path, seshat.Options{SweepEvery: seshat.Never})
	must(t, err)
	_, err = fixture.Conversations(t.Context(), s)
	must(t, s.Close())
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED, NOT TESTED: the real conversations are not here: %v", err)
	}
	must(t, err)
	from, to := source(t, path), fresh(t)
	r, err := migrate.Run(t.Context(), from, to, migrate.Options{})
	must(t, err)
	if r.Sessions != 200 || r.Messages != 5308 {
		t.Errorf("moved %+v", r.Sums)
	}
	if shows(t, from) != shows(t, to) {
		t.Error("the copy shows something else")
	}
}

// Promise: progress grows, ends at the total, and names both stages.
func TestProgress(t *testing.T) {
	from, last := source(t, filled(t, 20)), map[migrate.Stage]migrate.Progress{}
	r, err := migrate.Run(t.Context(), from, memdriver.Open(),
		migrate.Options{StepParts: 50, Progress: func(p migrate.Progress) {
			if p.Done.Parts < last[p.Stage].Done.Parts {
				t.Errorf("%s: %d parts after %d", p.Stage, p.Done.Parts, last[p.Stage].Done.Parts)
			}
			last[p.Stage] = p
		}})
	must(t, err)
	for _, s := range []migrate.Stage{migrate.Copying, migrate.Comparing} {
		p := last[s]
		if p.Done != r.Sums || p.Done.Sessions != p.Total.Sessions || p.Done.Bytes != p.Total.Bytes {
			t.Errorf("%s ended at %+v of %+v, moved %+v", s, p.Done, p.Total, r.Sums)
		}
	}
}
