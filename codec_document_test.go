package seshat

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"
)

// Promise: a refusal names the field and the place in it, and is ErrInvalid.
func TestDocumentRefusalsNameThePlace(t *testing.T) {
	d := NewDocument(map[string]any{"prefs": map[string]any{"colors": []any{"red", "blue", 1, math.NaN()}}})
	err := d.check("user_memory").err()
	e := (*InvalidError)(nil)
	if !errors.Is(err, ErrInvalid) || !errors.As(err, &e) || e.Field != "user_memory.prefs.colors[3]" {
		t.Errorf("%v", err)
	}
	if d.IsZero() || d.Map() != nil || d.Equal(d) {
		t.Error("what was refused passes as a document")
	}
	if _, err := DocumentAs[map[string]any](d); !errors.Is(err, ErrInvalid) {
		t.Errorf("DocumentAs: %v", err)
	}
	if _, err := d.MarshalJSON(); !errors.Is(err, ErrInvalid) {
		t.Errorf("MarshalJSON: %v", err)
	}
}

func TestDocumentOfJSON(t *testing.T) {
	var d Document
	if err := json.Unmarshal([]byte(`{"n": 9007199254740993, "u": 18446744073709551615, "f": 1.0, "o": {"l": [null]}}`),
		&d); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"n": int64(1<<53 + 1), "u": uint64(math.MaxUint64), "f": 1.0,
		"o": map[string]any{"l": []any{nil}},
	}
	if got := d.Map(); !reflect.DeepEqual(got, want) || !d.Equal(NewDocument(want)) {
		t.Errorf("%v", got)
	}
	before := d
	for _, bad := range []string{`{"a":1,"a":2}`, `[1]`, `{"a":1e999}`} {
		if err := json.Unmarshal([]byte(bad), &d); !errors.Is(err, ErrInvalid) || !d.Equal(before) {
			t.Errorf("%s: %v, and the document is %v", bad, err, d.Map())
		}
	}
	if out, err := json.Marshal(Document{}); string(out) != "null" || err != nil {
		t.Errorf("%s, %v", out, err)
	}
	if err := json.Unmarshal([]byte("null"), &d); err != nil || !d.IsZero() {
		t.Errorf("null: %v, %v", d.Map(), err)
	}
}

func TestDocumentAs(t *testing.T) {
	type profile struct {
		Name  string    `msgpack:"name"`
		Since time.Time `msgpack:"since"`
	}
	since := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	d := NewDocument(map[string]any{"name": "Mia", "since": since, "other": 1})
	p, err := DocumentAs[profile](d)
	if err != nil || p.Name != "Mia" || !p.Since.Equal(since) {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := DocumentAs[struct {
		Name []int `msgpack:"name"`
	}](d); !errors.Is(err, ErrInvalid) {
		t.Errorf("text as a list: %v", err)
	}
	if p, err := DocumentAs[profile](Document{}); err != nil || p != (profile{}) {
		t.Errorf("of nothing: %+v, %v", p, err)
	}
}

// Promise: bytes that this store did not write never pass as a document.
func TestDocumentBytesFromOutside(t *testing.T) {
	if err := checkDocument(NewDocument(map[string]any{"a": 1}).enc); err != nil {
		t.Error(err)
	}
	for _, enc := range []string{
		"\x80", "\x01", "\x81\xa1a", "\x82\xa1b\x01\xa1a\x01",
		"\x81\xa1a\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
	} {
		if err := checkDocument(enc); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%q: %v", enc, err)
		}
	}
	damaged := Document{enc: "\x81\xa1a"}
	if m := damaged.Map(); m != nil {
		t.Errorf("damage reads as %v", m)
	}
	if _, err := DocumentAs[map[string]any](damaged); !errors.Is(err, ErrCorrupt) {
		t.Errorf("DocumentAs: %v", err)
	}
}
