package migrate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/internal/fixture"
	"github.com/seshatdb/seshat/migrate"
)

// FuzzLoad loads anything: see parts. Promise: all engines take the same and
// refuse the same, in the same way; what is refused leaves nothing; what is
// taken can be moved on, and a store on it read and checked, whatever it is;
// and where everything has its owner, the engines hand out the same.
func FuzzLoad(f *testing.F) {
	for _, program := range []string{
		"", "\x01\x00\x05", "\x02\x01\x05\x01\x03\x01\x02\x01s",
		"\x04\x01\x01\x01s\x01u\x02\x03\x04\x05\x06\x07\x01b\x07\x01\x01\x01\x01m\x04body\x08\x01\x01\x02\x01n",
		"\x05\x01\x02\x09\x07\x01\x02\x01\x01m\x00\x07\x01\x02\x02\x01m\x00",
		"\x06\x00\x01\x00\x04name\x05value\x06\x01\x41\x01u\x01k\x00",
		"\x06\x01\x82\x10\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01k\x01v",
		"\x06\x00\x3e\x00\x00\x01x",
	} {
		for flags := range uint8(8) {
			f.Add([]byte(program), flags)
		}
	}
	dir := volatile(f)
	f.Fuzz(func(t *testing.T, program []byte, flags uint8) {
		p := &loading{program: program}
		parts := p.parts()
		if flags&1 == 0 {
			slices.SortFunc(parts, func(a, b driver.Part) int { return a.Place().Compare(b.Place()) })
			parts = slices.CompactFunc(parts, func(a, b driver.Part) bool { return a.Place().Compare(b.Place()) == 0 })
		}
		if flags&4 == 0 {
			parts = owned(parts)
		}
		load := driver.Load{Parts: parts}
		if flags&2 != 0 {
			load.Note = []byte("note")
		}
		one, two := memdriver.Open(), quick(t, dir)
		errOne, errTwo := one.Load(t.Context(), load), two.Load(t.Context(), load)
		if kind(t, errOne) != kind(t, errTwo) {
			t.Fatalf("in memory %v, in a file %v", errOne, errTwo)
		}
		if errOne != nil {
			compare(t, one, memdriver.Open())
			compare(t, two, one)
			return
		}
		if flags&4 == 0 {
			compare(t, one, two)
		}
		for _, d := range []driver.Driver{one, two} {
			if load.Note != nil {
				must(t, d.(driver.Loader).Load(t.Context(), driver.Load{Was: load.Note}))
			}
			on := memdriver.Open()
			_, err := migrate.Run(t.Context(), d, on, migrate.Options{StepParts: 2})
			must(t, err)
			read(t, on)
			read(t, d)
		}
	})
}

// kind is the sentinel that a refusal has to be.
func kind(t *testing.T, err error) error {
	t.Helper()
	for _, known := range []error{nil, driver.ErrInvalid, driver.ErrTooLarge} {
		if errors.Is(err, known) {
			return known
		}
	}
	t.Fatalf("an error of no kind: %v", err)
	return nil
}

// owned returns the parts without those of logs, sessions and feeds that are
// not there, which no engine has to keep.
func owned(parts []driver.Part) []driver.Part {
	owners, feeds := map[life]bool{}, map[uint64]driver.Part{}
	for _, p := range parts {
		switch p.Kind {
		case driver.PartFeed:
			feeds[p.Namespace] = p
		case driver.PartRecord:
			owners[life{p.Namespace, string(p.Record.Incarnation[:])}] = true
		case driver.PartStage:
			owners[life{p.Namespace, string(p.Incarnation[:])}] = true
		}
	}
	return slices.DeleteFunc(parts, func(p driver.Part) bool {
		switch {
		case p.Kind == driver.PartEvent:
			feed := feeds[p.Namespace]
			return p.Event.Position <= feed.Tail || p.Event.Position > feed.Head
		case p.Kind == driver.PartMessage, p.Kind == driver.PartRef:
			return !owners[life{p.Namespace, string(p.Incarnation[:])}]
		case p.Kind == driver.PartEntry && p.Entry.Kind&driver.KindSession != 0:
			return !owners[life{p.Namespace, p.Entry.Owner}]
		}
		return false
	})
}

// life is an incarnation in its namespace.
type life struct {
	namespace   uint64
	incarnation string
}

func compare(t *testing.T, one, two driver.Driver) {
	t.Helper()
	if _, err := migrate.Compare(t.Context(), one, two); err != nil {
		t.Fatal(err)
	}
}

// read reads all of a store on d, which may be of no sense.
func read(t *testing.T, d driver.Driver) {
	t.Helper()
	s, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	must(t, err)
	defer s.Close()
	if _, err := s.Check(t.Context()); err != nil {
		t.Errorf("check: %v", err)
	}
	_, err = fixture.Dump(t.Context(), s, fixture.DumpOptions{})
	for _, known := range []error{seshat.ErrCorrupt, seshat.ErrNotFound, seshat.ErrInvalid, seshat.ErrLagged} {
		if errors.Is(err, known) {
			return
		}
	}
	must(t, err)
}

// volatile returns a directory in memory, where there is such a thing: its
// syncs cost nothing.
func volatile(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "seshat")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

// quick opens a new file in the directory, which is removed with the test.
func quick(t *testing.T, dir string) *boltdriver.Driver {
	path := filepath.Join(dir, "a.db")
	t.Cleanup(func() { must(t, os.Remove(path)) })
	return bolt(t, path, boltdriver.Options{})
}

// loading makes parts of a program.
type loading struct{ program []byte }

// byte takes one byte of the program.
func (l *loading) byte() byte {
	if len(l.program) == 0 {
		return 0
	}
	b := l.program[0]
	l.program = l.program[1:]
	return b
}

// number takes a small number, or one of the largest.
func (l *loading) number() uint64 {
	b := l.byte()
	if b < 0xf0 {
		return uint64(b)
	}
	return -uint64(b - 0xef)
}

// text takes a string: its length, and its bytes.
func (l *loading) text() string {
	n := min(int(l.byte()), len(l.program))
	s := string(l.program[:n])
	l.program = l.program[n:]
	return s
}

func (l *loading) parts() (parts []driver.Part) {
	for len(l.program) > 0 {
		parts = append(parts, l.part())
	}
	return parts
}

// part takes one part: its kind, its namespace, and what it holds.
func (l *loading) part() driver.Part {
	p := driver.Part{Kind: driver.PartKind(l.byte() % 10), Namespace: l.number()}
	switch p.Kind {
	case driver.PartClock:
		p.Time = int64(l.number())
	case driver.PartFeed:
		p.Head, p.Tail = l.number(), l.number()
	case driver.PartEvent:
		p.Event = driver.Event{Position: l.number(), Time: int64(l.number()), Version: l.number(), ID: l.text()}
	case driver.PartRecord:
		p.Record = l.record(p.Namespace)
	case driver.PartStage:
		p.Incarnation, p.Time = driver.Incarnation{l.byte()}, int64(l.number())
	case driver.PartEntry:
		k := driver.EntryKey{Namespace: p.Namespace, Kind: l.byte(), Owner: l.text(), Name: l.text()}
		p.Entry = driver.Entry{EntryKey: k, Value: []byte(l.text())}
	case driver.PartMessage, driver.PartRef:
		p.Incarnation = driver.Incarnation{l.byte()}
		p.Message = driver.Message{Seq: l.number(), ID: l.text()}
		if p.Kind == driver.PartMessage {
			p.Message.Body = []byte(l.text())
		}
	}
	return p
}

func (l *loading) record(namespace uint64) driver.Record {
	r := driver.Record{Incarnation: driver.Incarnation{l.byte()}}
	r.Key = driver.Key{Namespace: namespace, ID: l.text()}
	r.UserID, r.Status, r.Version, r.NextSeq = l.text(), l.byte(), l.number(), l.number()
	r.Created, r.ActiveMinute, r.Due, r.Expires = int64(l.number()), int64(l.number()), int64(l.number()),
		int64(l.number())
	r.Messages, r.Bytes, r.Body = l.number(), l.number(), []byte(l.text())
	return r
}

// FuzzResume runs a migration into a destination that holds a part of the
// source, and anything as the note of how far an earlier run came. Promise: it
// fails, or both hold the same afterwards.
func FuzzResume(f *testing.F) {
	from := memdriver.Open()
	_, err := migrate.Run(f.Context(), source(f, filled(f, 1)), from, migrate.Options{})
	must(f, err)
	var all []driver.Part
	must(f, from.Dump(f.Context(), nil, func(p *driver.Part) error { all = append(all, p.Clone()); return nil }))
	for n := range 6 {
		ctx, cancel := context.WithCancel(f.Context())
		to := memdriver.Open()
		_, err := migrate.Run(ctx, from, &cutting{Driver: to, n: n, after: true, cancel: cancel},
			migrate.Options{StepParts: 10})
		cancel()
		if n > 0 && !errors.Is(err, driver.ErrUnknown) && !errors.Is(err, context.Canceled) {
			f.Fatal(err)
		}
		note, err := to.Entries(f.Context(), driver.EntryQuery{Kind: driver.KindLoad, Limit: 1})
		must(f, err)
		if len(note) > 0 {
			f.Add(note[0].Value, uint16(10*n))
			f.Add(note[0].Value, uint16(10*n+1))
		}
	}
	f.Add([]byte("{}"), uint16(0))
	f.Add([]byte(`{"format":1,"copied":true}`), uint16(0))
	f.Fuzz(func(t *testing.T, note []byte, held uint16) {
		if len(note) == 0 {
			return // no note
		}
		to := memdriver.Open()
		must(t, to.Load(t.Context(), driver.Load{Parts: all[:int(held)%(len(all)+1)], Note: note}))
		r, err := migrate.Run(t.Context(), from, to, migrate.Options{StepParts: 10})
		if err == nil {
			compare(t, from, to)
			if r.Parts != uint64(len(all)) {
				t.Errorf("moved %d parts of %d", r.Parts, len(all))
			}
		}
	})
}
