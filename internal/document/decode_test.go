package document

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	vmsgpack "github.com/vmihailenco/msgpack/v5"
)

// notNormal is bytes that no Encode makes; wellFormed tells those that are a
// map all the same.
var notNormal = []struct {
	name, enc  string
	wellFormed bool
}{
	{"empty map", "\x80", true},
	{"keys not sorted", "\x82\xa1b\x01\xa1a\x01", true},
	{"key twice", "\x82\xa1a\x01\xa1a\x01", true},
	{"long integer", "\x81\xa1a\xcd\x00\x01", true},
	{"signed integer", "\x81\xa1a\xd0\x01", true},
	{"float of 32 bits", "\x81\xa1a\xca\x00\x00\x00\x00", true},
	{"infinity", "\x81\xa1a\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", true},
	{"long length", "\x81\xd9\x01a\x01", true},
	{"long time", "\x81\xa1a\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x01", true},
	{"not a map", "\x91\x01", false},
	{"something after", "\x81\xa1a\x01\x00", false},
	{"cut", "\x81\xa1a", false},
	{"key is a number", "\x81\x01\x01", false},
	{"text is not UTF-8", "\x81\xa1a\xa1\xff", false},
	{"key is not UTF-8", "\x81\xa1\xff\x01", false},
	{"other extension", "\x81\xa1a\xd4\x05\x00", false},
	{"nanoseconds", "\x81\xa1a\xd7\xff\xff\xff\xff\xff\x00\x00\x00\x01", false},
	{"reserved code", "\x81\xa1a\xc1", false},
	{"large count", "\xdf\xff\xff\xff\xff\xa1a\x01", false},
	{"deep", "\x81\xa1a" + strings.Repeat("\x91", 1<<16) + "\x01", false},
}

// TestBytesFromOutside proves that bytes from outside pass Check only if Encode
// could have made them, and that anything but a map of values is refused.
func TestBytesFromOutside(t *testing.T) {
	for _, c := range notNormal {
		if err := Check(c.enc, limits); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: Check says %v", c.name, err)
		}
		m, err := Decode(c.enc, limits)
		if c.wellFormed != (err == nil) || err != nil && (m != nil || !errors.Is(err, ErrMalformed)) {
			t.Errorf("%s: decodes to %v, %v", c.name, m, err)
		}
	}
}

type profile struct {
	Name  string    `msgpack:"name"`
	Age   int       `msgpack:"age"`
	Since time.Time `msgpack:"since"`
	Likes []string  `msgpack:"likes"`
}

func TestDecodeInto(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	enc, err := Encode(map[string]any{"name": "mia", "age": 40, "since": since, "likes": []string{"tea"}, "other": 1},
		limits)
	if err != nil {
		t.Fatal(err)
	}
	var p profile
	if err := DecodeInto(enc, limits, &p); err != nil {
		t.Fatal(err)
	}
	if p.Name != "mia" || p.Age != 40 || !p.Since.Equal(since) || !reflect.DeepEqual(p.Likes, []string{"tea"}) {
		t.Errorf("%+v", p)
	}
	if err := DecodeInto("", limits, &p); err != nil || p.Name != "mia" {
		t.Errorf("the empty document changes %+v: %v", p, err)
	}
	var wrong struct {
		Name int `msgpack:"name"`
	}
	if err := DecodeInto(enc, limits, &wrong); err == nil || errors.Is(err, ErrMalformed) {
		t.Errorf("text into a number: %v", err)
	}
	if err := DecodeInto("\x81\xa1a"+strings.Repeat("\x91", 1<<20), limits, &p); !errors.Is(err, ErrMalformed) {
		t.Errorf("deep input: %v", err)
	}
}

type explosive struct{}

func (*explosive) DecodeMsgpack(*vmsgpack.Decoder) error { panic("no") }

// TestDecodeIntoSurvivesPanics proves that a panic of the caller's decoder is
// an error.
func TestDecodeIntoSurvivesPanics(t *testing.T) {
	if err := DecodeInto("\x81\xa1a\x01", limits, &explosive{}); err == nil {
		t.Error("no error")
	}
}

// numbers makes values of the reference comparable: it decodes integers to the
// smallest type that holds them, and times in the local zone.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case time.Time:
		return v.UTC()
	case uint64:
		return signed(v)
	}
	if r := reflect.ValueOf(v); r.CanInt() {
		return r.Int()
	} else if r.CanUint() {
		return signed(r.Uint())
	}
	return v
}

// FuzzDocument checks that any bytes decode without panic, to the values that
// the library reads, and that their normal form is stable.
func FuzzDocument(f *testing.F) {
	for _, c := range notNormal {
		f.Add([]byte(c.enc))
	}
	for _, m := range []map[string]any{
		{"a": 1, "b": []any{-1, 1.5, nil, true, "x", []byte("y")}, "t": time.Unix(1, 2)},
		{"u": uint64(1 << 63), "m": map[string]any{"n": map[string]any{}}},
	} {
		enc, err := Encode(m, limits)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(enc))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(string(b), limits)
		if err != nil {
			return
		}
		enc, err := Encode(m, limits)
		if err != nil {
			return // what Check is for
		}
		if again := normal(t, m); len(m) > 0 && !reflect.DeepEqual(again, m) {
			t.Fatalf("%v comes back as %v", m, again)
		}
		if enc == "" {
			return
		}
		want, err := vmsgpack.NewDecoder(bytes.NewReader([]byte(enc))).DecodeMap()
		if err != nil || !reflect.DeepEqual(numbers(want), any(m)) {
			t.Fatalf("%x is %v; the reference reads %v, %v", enc, m, want, err)
		}
	})
}
