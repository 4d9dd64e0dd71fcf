package seshat

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seshatdb/seshat/driver/memdriver"
)

func TestOptionsRefused(t *testing.T) {
	for field, o := range map[string]Options{
		"lifecycle.ttl":           {Lifecycle: Lifecycle{TTL: -2}},
		"lifecycle.max_lifetime":  {Lifecycle: Lifecycle{MaxLifetime: -2}},
		"lifecycle.idle_after":    {Lifecycle: Lifecycle{IdleAfter: -2}},
		"lifecycle.archive_after": {Lifecycle: Lifecycle{ArchiveAfter: -2}},
		"lifecycle.retention":     {Lifecycle: Lifecycle{Retention: -2}},
		"lifecycle.expiry":        {Lifecycle: Lifecycle{Expiry: 3}},
		"sweep_every":             {SweepEvery: -2},
		"feed_age":                {FeedAge: -2},
		"file.max_size":           {File: FileOptions{MaxSize: -1}},
		"file.verify_limit":       {File: FileOptions{VerifyLimit: -2}},
	} {
		path := filepath.Join(t.TempDir(), "s.db")
		for name, open := range map[string]func() (*Store, error){ // by hand: none opens
			"Open":       func() (*Store, error) { return Open(path, o) },
			"OpenMemory": func() (*Store, error) { return OpenMemory(o) },
			"OpenDriver": func() (*Store, error) { return OpenDriver(memdriver.Open(), o) },
		} {
			s, err := open()
			var invalid *InvalidError
			if s != nil || !errors.As(err, &invalid) || invalid.Field != field {
				t.Errorf("%s: got error %v, want an InvalidError of %s", name, err, field)
			}
		}
	}
}

// Promise: the zero value means the documented defaults, and the caller's value
// is not changed. Opening a store without a file or a driver is an error that
// names the missing argument.
func TestOpenOnNothing(t *testing.T) {
	for field, open := range map[string]func() (*Store, error){ // by hand: none opens
		"path":   func() (*Store, error) { return Open("", Options{}) },
		"driver": func() (*Store, error) { return OpenDriver(nil, Options{}) },
	} {
		s, err := open()
		var invalid *InvalidError
		if s != nil || !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("got error %v, want an InvalidError of %s", err, field)
		}
	}
}

func TestOptionsDefaults(t *testing.T) {
	var given Options
	o, err := given.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	want := Lifecycle{
		TTL: 7 * 24 * time.Hour, Expiry: ExpirySliding, MaxLifetime: Never,
		IdleAfter: Never, ArchiveAfter: Never, Retention: 7 * 24 * time.Hour,
	}
	if o.Lifecycle != want || o.SweepEvery != time.Minute || o.FeedEvents != 100_000 || o.FeedAge != 7*24*time.Hour {
		t.Errorf("got %+v", o)
	}
	if o.Logger == nil || o.Now == nil || o.Title == nil || !o.machineClock {
		t.Errorf("got %+v", o)
	}
	if given.Now != nil || given.SweepEvery != 0 || given.Lifecycle != (Lifecycle{}) {
		t.Errorf("the caller's options became %+v", given)
	}
	given = Options{
		Lifecycle: Lifecycle{TTL: time.Hour}, SweepEvery: Never, FeedAge: Never, FeedEvents: 1,
		Now: time.Now,
	}
	o, err = given.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if o.Lifecycle.TTL != time.Hour || o.SweepEvery != Never || o.FeedAge != Never || o.FeedEvents != 1 ||
		o.machineClock {
		t.Errorf("got %+v", o)
	}
}

// The default title is the first line that is not blank, shortened.
func TestFirstLine(t *testing.T) {
	long := strings.Repeat("é", 100)
	for content, want := range map[string]string{
		"":                              "",
		" \n\t\n":                       "",
		"Book a flight":                 "Book a flight",
		"\n\n  Book \t a  flight \nnow": "Book a flight",
		"a\r\nb":                        "a",
		strings.Repeat("é", 80):         strings.Repeat("é", 80),
		long:                            strings.Repeat("é", 79) + "…",
		strings.Repeat("x", 78) + " yz": strings.Repeat("x", 78) + "…",
		"\U0010ffff":                    "\U0010ffff",
	} {
		if got := firstLine(content); got != want {
			t.Errorf("title of %.20q: got %q, want %q", content, got, want)
		}
	}
}

// Promise: any result of Options.Name is turned into a valid name.
func TestTitleIsLegal(t *testing.T) {
	for _, name := range []string{
		"", "plain", "a\nb\tc", "\x00\x7f\u0085", "bad \xff\xc3 bytes", strings.Repeat("x", 10_000),
		strings.Repeat("é", 300), strings.Repeat("🙂", 200), "x" + strings.Repeat("\U0010ffff", 128), " padded ",
	} {
		got := title(name)
		if err := checkSessionName(got); err != nil {
			t.Errorf("title of %.20q: got %q: %v", name, got, err)
		}
		if !utf8.ValidString(got) || strings.TrimSpace(got) != got {
			t.Errorf("title of %.20q: got %q", name, got)
		}
	}
}

// Promise: a read-only store refuses writes on any engine.
func TestReadOnlyInMemory(t *testing.T) {
	s, err := OpenMemory(Options{ReadOnly: true})
	adopt(t, s, err)
	for name, call := range map[string]func() error{
		"EnsureTenant": func() error { _, err := s.EnsureTenant(t.Context(), Namespace{Name: "t"}); return err },
		"CreateAPIKey": func() error { _, _, err := s.CreateAPIKey(t.Context(), APIKey{}); return err },
		"Sweep":        func() error { _, err := s.Sweep(t.Context(), SweepOptions{}); return err },
	} {
		if err := call(); !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrReadOnly)
		}
	}
	if s.sweep.stopped != nil {
		t.Error("the sweeper of a read-only store runs")
	}
}

// Promise: each file option reaches the engine.
func TestFileOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := Open(path, Options{SweepEvery: Never, File: FileOptions{MaxSize: 1 << 20}})
	adopt(t, s, err)
	tenant := mustTenant(t, s)
	big := map[string]any{"k": strings.Repeat("x", 60_000)}
	made := uint64(0)
	for err == nil {
		if _, err = tenant.Create(t.Context(), NewSession{Metadata: big}); err == nil {
			made++
		}
		if made > 100 {
			t.Fatal("a file of 1 MiB holds 6 MB")
		}
	}
	if n, err := tenant.Count(t.Context(), Query{}); err != nil || n != made {
		t.Errorf("after the refused write: %d sessions, error %v, want %d", n, err, made)
	}
	checkAndClose(t, s)
	for _, limit := range []int64{-1, 0, 1, 1 << 40} {
		s, err := Open(path, Options{File: FileOptions{VerifyLimit: limit, AllowNetworkFS: true}})
		adopt(t, s, err)
		checkAndClose(t, s)
	}
}
