package seshat

import (
	"errors"
	"strconv"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// Promise: a page reads a bounded number of index entries and reports the
// number. Later pages have the rest.
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
	found := len(first.Sessions)
	scanned := first.Scanned
	for q.Cursor = first.NextCursor; q.Cursor != ""; {
		page, err := p.n.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		found += len(page.Sessions)
		scanned += page.Scanned
		q.Cursor = page.NextCursor
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

// FuzzCursor decodes arbitrary bytes as a cursor. The result is a valid
// position or an InvalidError. A valid position survives encoding and decoding.
func FuzzCursor(f *testing.F) {
	hash := [8]byte{1, 2, 3}
	f.Add(encodeCursor(hash, driver.Position{At: 1, ID: "s"}))
	f.Add(encodeCursor(hash, driver.Position{At: 1 << 62, ID: "\U0010ffff"}))
	f.Add(encodeCursor([8]byte{}, driver.Position{ID: "s"}))
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
		again, err := decodeCursor(hash, encodeCursor(hash, at))
		if err != nil || again != at {
			t.Fatalf("got %+v, %v, want %+v", again, err, at)
		}
	})
}

// Promise: the format of cursors does not change, because callers keep them,
// and no other bytes are accepted.
func TestCursorStaysWhatItWas(t *testing.T) {
	hash := [8]byte{1, 2, 3, 4, 5, 6, 7, 8}
	at := driver.Position{At: 1_700_000_000_000, ID: "a/ü"}
	const text = "AQECAwQFBgcIAAABi8_laABhL8O8"
	if got := encodeCursor(hash, at); got != text {
		t.Errorf("encoded as %s", got)
	}
	if got, wrong := parseCursor(hash, text); got != at || wrong != "" {
		t.Errorf("decoded as %+v, %s", got, wrong)
	}
	long := make([]byte, maxCursor+1)
	for s, want := range map[string]string{
		string(long):              "is too long",
		"":                        "is not a cursor",
		text + "!":                "is not a cursor",
		"AQECAwQFBgcIAAABi8_laAA": "is not a cursor",
		"Ag" + text[2:]:           "is of another version",
		"AQAA" + text[4:]:         "belongs to another query",
		encodeCursor(hash, driver.Position{At: -1, ID: "a"}): "is damaged",
	} {
		if _, wrong := parseCursor(hash, s); wrong != want {
			t.Errorf("%q: %s, want %s", s, wrong, want)
		}
	}
}
