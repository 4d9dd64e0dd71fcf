package seshat

import (
	"errors"
	"strconv"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/cursor"
)

// Promise: a page looks at no more than a bounded number of index entries, and
// says how many; the rest is on the pages after it.
func TestPageScansABoundedNumber(t *testing.T) {
	p := plant(t)
	ctx := t.Context()
	for i := range maxScan + 500 {
		n := NewSession{ID: "n" + strconv.Itoa(i)}
		if i == 0 {
			n.Labels = map[string]string{"rare": "yes"}
		}
		if _, err := p.n.Create(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	q := Query{Labels: map[string]string{"rare": "yes"}, OldestFirst: false}
	first, err := p.n.List(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	if first.Scanned > maxScan || first.NextCursor == "" {
		t.Fatalf("the first page looked at %d entries, cursor %q", first.Scanned, first.NextCursor)
	}
	found, scanned := len(first.Sessions), first.Scanned
	for q.Cursor = first.NextCursor; q.Cursor != ""; {
		page, err := p.n.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		found, scanned, q.Cursor = found+len(page.Sessions), scanned+page.Scanned, page.NextCursor
	}
	if found != 1 || scanned < maxScan+500 {
		t.Errorf("found %d sessions in %d entries", found, scanned)
	}
	n := 0
	for s, err := range p.n.Sessions(ctx, Query{Labels: q.Labels}) {
		if err != nil || s.ID != "n0" {
			t.Fatalf("got %v, %v", s, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("the iterator found %d sessions", n)
	}
}

// FuzzCursor feeds bytes to the reader of cursors: whatever they are, it
// returns a legal position or an InvalidError, and what it accepts is what was
// made.
func FuzzCursor(f *testing.F) {
	hash := [8]byte{1, 2, 3}
	f.Add(cursor.Encode(hash, driver.Position{At: 1, ID: "s"}))
	f.Add(cursor.Encode(hash, driver.Position{At: 1 << 62, ID: "\U0010ffff"}))
	f.Add(cursor.Encode([8]byte{}, driver.Position{ID: "s"}))
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, s string) {
		at, err := decodeCursor(hash, s)
		if err != nil {
			var invalid *InvalidError
			if !errors.As(err, &invalid) || invalid.Field != "cursor" {
				t.Fatalf("got error %v", err)
			}
			return
		}
		if at.At < 0 || checkName("id", at.ID) != nil {
			t.Fatalf("got %+v", at)
		}
		again, err := decodeCursor(hash, cursor.Encode(hash, at))
		if err != nil || again != at {
			t.Fatalf("got %+v, %v, want %+v", again, err, at)
		}
	})
}
