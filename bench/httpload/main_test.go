package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Promise: both mixes are measured on both servers, with appends that are
// stored, and within the bounds.
func TestSmall(t *testing.T) {
	o := options{
		db: filepath.Join(t.TempDir(), "x.db"), sessions: 20, clients: 4, rounds: 2, time: time.Minute,
		requests: 200,
	}
	w, err := newWorld(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}()
	results, err := w.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gets, mixed := results[0], results[1]
	if len(gets.puts) != 0 || len(gets.gets) != 400 || len(mixed.puts) == 0 || len(mixed.gets)+len(mixed.puts) != 400 {
		t.Errorf("%d and %d of GET, %d and %d of both", len(gets.gets), len(gets.puts), len(mixed.gets),
			len(mixed.puts))
	}
	var stored uint64
	for n, err := range w.store.AllNamespaces(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		tenant, err := w.store.Tenant(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		u, err := tenant.Usage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stored += u.Messages
	}
	if want := uint64(len(mixed.puts)) + 1; stored != want { // one gave the constant body
		t.Errorf("%d messages are stored, want %d", stored, want)
	}
}

// Promise: the command prints a table of both mixes, and refuses a file that
// is there.
func TestTable(t *testing.T) {
	db := filepath.Join(t.TempDir(), "x.db")
	o := options{db: db, sessions: 5, clients: 2, rounds: 1, time: time.Minute, requests: 100}
	var out strings.Builder
	if err := run(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	for _, m := range mixes {
		if !regexp.MustCompile(regexp.QuoteMeta(m.String()) + `( +\d+){2} +\d+\.\d{3}`).MatchString(out.String()) {
			t.Errorf("no %s in\n%s", m, out.String())
		}
	}
	before, err := os.Stat(db)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o, &out); err == nil {
		t.Error("a file that was there was taken")
	}
	if after, err := os.Stat(db); err != nil || after.ModTime() != before.ModTime() {
		t.Error("the file was changed")
	}
}
