package migrate_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/internal/fixture"
	"github.com/seshatdb/seshat/migrate"
)

// Promise: a destination that holds something else is refused and stays as it
// is, be it a store in use or a load by somebody else.
func TestNotEmpty(t *testing.T) {
	from, to := source(t, filled(t, 3)), memdriver.Open()
	s, err := seshat.OpenDriver(unclosed{to, to}, seshat.Options{SweepEvery: seshat.Never})
	must(t, err)
	must(t, fixture.Fill(t.Context(), s, 1))
	must(t, s.Close())
	want := shows(t, to)
	if _, err := migrate.Run(t.Context(), from, to, migrate.Options{}); !errors.Is(err, migrate.ErrNotEmpty) {
		t.Errorf("a store in use: %v", err)
	}
	if shows(t, to) != want {
		t.Error("it was changed")
	}
	other := memdriver.Open()
	must(t, other.Load(t.Context(), driver.Load{Note: []byte(`{"format":99}`)}))
	if _, err := migrate.Run(t.Context(), from, other, migrate.Options{}); !errors.Is(err, driver.ErrFormat) {
		t.Errorf("a load by another version: %v", err)
	}
	if _, err := migrate.Run(t.Context(), other, memdriver.Open(), migrate.Options{}); !errors.Is(err,
		driver.ErrFormat) {
		t.Errorf("a source that is half a copy: %v", err)
	}
}

// writing changes the source once a part of it was copied.
type writing struct {
	*memdriver.Driver
	write func() error
}

func (w *writing) Dump(ctx context.Context, after *driver.Place, fn func(*driver.Part) error) error {
	err := w.Driver.Dump(ctx, after, fn)
	if err == nil && w.write != nil {
		write := w.write
		w.write = nil
		return write()
	}
	return err
}

// Promise: a source that was written meanwhile is found out, in the run itself
// and in the next.
func TestChanged(t *testing.T) {
	for _, later := range []bool{false, true} {
		from := &writing{Driver: memdriver.Open()}
		s, err := seshat.OpenDriver(from.Driver, seshat.Options{SweepEvery: seshat.Never})
		must(t, err)
		defer s.Close()
		must(t, fixture.Fill(t.Context(), s, 2))
		tn, err := s.Tenant(t.Context(), seshat.Namespace{Name: "acme"})
		must(t, err)
		stop := errors.New("stop")
		from.write = func() error {
			_, err := tn.Append(t.Context(), "chat 0001", seshat.Message{Role: seshat.RoleUser, Content: "late"})
			if later {
				err = errors.Join(err, stop)
			}
			return err
		}
		to := memdriver.Open()
		_, err = migrate.Run(t.Context(), from, to, migrate.Options{StepParts: 10})
		if later {
			if !errors.Is(err, stop) {
				t.Fatal(err)
			}
			_, err = migrate.Run(t.Context(), from, to, migrate.Options{})
		}
		if !errors.Is(err, migrate.ErrChanged) {
			t.Errorf("later %v: %v", later, err)
		}
		if _, err := seshat.OpenDriver(unclosed{to, to}, seshat.Options{}); !errors.Is(err, seshat.ErrFormat) {
			t.Errorf("a store opened on it: %v", err)
		}
	}
}

// lossy forgets what it was given.
type lossy struct{ *memdriver.Driver }

func (l lossy) Load(ctx context.Context, load driver.Load) error {
	for i := range load.Parts {
		if p := &load.Parts[i]; p.Kind == driver.PartMessage {
			p.Message.Body = append(p.Message.Body, 0)
		}
	}
	return l.Driver.Load(ctx, load)
}

// Promise: a destination that did not keep what it was given is found out, and
// the place is named.
func TestDiffers(t *testing.T) {
	from, to := source(t, filled(t, 2)), lossy{memdriver.Open()}
	_, err := migrate.Run(t.Context(), from, to, migrate.Options{})
	var d *migrate.DifferenceError
	if !errors.Is(err, migrate.ErrDiffers) || !errors.As(err, &d) || d.At.Kind != driver.PartMessage ||
		errors.Is(err, migrate.ErrChanged) {
		t.Errorf("%v", err)
	}
}

// Promise: Compare names the first place at which one side has more.
func TestCompare(t *testing.T) {
	record := func(id string) driver.Part {
		return driver.Part{Kind: driver.PartRecord, Namespace: 1, Record: driver.Record{
			Key: driver.Key{Namespace: 1, ID: id}, Incarnation: driver.Incarnation{id[0]}, Due: driver.Never,
			Expires: driver.Never,
		}}
	}
	loaded := func(ids ...string) driver.Driver {
		d := memdriver.Open()
		var parts []driver.Part
		for _, id := range ids {
			parts = append(parts, record(id))
		}
		must(t, d.Load(t.Context(), driver.Load{Parts: parts}))
		return d
	}
	for _, c := range []struct {
		a, b  []string
		where string
	}{
		{[]string{"a", "b"}, []string{"a", "b"}, ""},
		{nil, nil, ""},
		{[]string{"a"}, []string{"a", "b"}, "b"},
		{[]string{"a", "b"}, []string{"a"}, "b"},
		{[]string{"b"}, []string{"a", "b"}, "a"},
		{[]string{"a", "b"}, []string{"b"}, "a"},
		{[]string{"a"}, nil, "a"},
	} {
		_, err := migrate.Compare(t.Context(), loaded(c.a...), loaded(c.b...))
		var d *migrate.DifferenceError
		switch {
		case c.where == "" && err != nil:
			t.Errorf("%v, %v: %v", c.a, c.b, err)
		case c.where != "" && (!errors.As(err, &d) || !errors.Is(err, migrate.ErrDiffers) || d.At.Name != c.where):
			t.Errorf("%v, %v: %v, want a difference at %q", c.a, c.b, err, c.where)
		}
	}
}

// Promise: drivers that cannot do it are refused before anything happens.
func TestUnsupported(t *testing.T) {
	plain, able := struct{ driver.Driver }{memdriver.Open()}, memdriver.Open()
	for _, pair := range [][2]driver.Driver{{plain, able}, {able, plain}} {
		if _, err := migrate.Run(t.Context(), pair[0], pair[1], migrate.Options{}); !errors.Is(err,
			errors.ErrUnsupported) {
			t.Errorf("Run: %v", err)
		}
		if _, err := migrate.Compare(t.Context(), pair[0], pair[1]); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Compare: %v", err)
		}
	}
	if _, err := migrate.Run(t.Context(), able, able, migrate.Options{}); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("onto itself: %v", err)
	}
	if _, err := migrate.Compare(t.Context(), able, able); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("with itself: %v", err)
	}
}
