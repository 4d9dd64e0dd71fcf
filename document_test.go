package seshat

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"
)

// TestDocumentRefusalsNameThePlace proves that a refusal is ErrInvalid and
// names the field and the place in it.
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

// TestDocumentBytesFromOutside proves that bytes that this store did not write
// never pass as a document.
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

// The binary form keeps what JSON does not, and nothing else is taken for it.
func TestBinaryDocumentsKeepTypes(t *testing.T) {
	want := map[string]any{"bytes": []byte{1}, "time": time.Unix(5, 6).UTC(), "whole": 2.0, "n": int64(2)}
	data, err := NewDocument(want).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var d Document
	if err := d.UnmarshalBinary(data); err != nil || !reflect.DeepEqual(d.Map(), want) {
		t.Errorf("%v came back as %v, %v", want, d.Map(), err)
	}
	for _, bad := range [][]byte{{0xc1}, data[:len(data)-1], append(data, 0), {0x01}} {
		if err := d.UnmarshalBinary(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%x: %v; want ErrInvalid", bad, err)
		}
	}
	if !reflect.DeepEqual(d.Map(), want) {
		t.Errorf("refused bytes changed the document to %v", d.Map())
	}
	if _, err := NewDocument(map[string]any{"f": func() {}}).MarshalBinary(); !errors.Is(err, ErrInvalid) {
		t.Errorf("a document that could not be made: %v; want ErrInvalid", err)
	}
}

// A message keeps through JSON what a repeated append is known by.
func TestDigestInJSON(t *testing.T) {
	m := Message{ID: "m", Seq: 1, Role: RoleUser, digest: [16]byte{0: 1, 15: 0xff}}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back Message
	if err := json.Unmarshal(data, &back); err != nil || back.digest != m.digest {
		t.Errorf("%s came back with digest %x, %v", data, back.digest, err)
	}
	for _, bad := range []string{`{"digest":"00"}`, `{"digest":"zz"}`, `{"digest":7}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
