package msgpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	vmsgpack "github.com/vmihailenco/msgpack/v5"
)

// TestIntegersOfEveryWidth proves that integers are read in every width that
// msgpack has.
func TestIntegersOfEveryWidth(t *testing.T) {
	for _, n := range edges {
		for _, write := range []func(*vmsgpack.Encoder) error{
			func(e *vmsgpack.Encoder) error { return e.EncodeInt8(int8(n)) },
			func(e *vmsgpack.Encoder) error { return e.EncodeInt16(int16(n)) },
			func(e *vmsgpack.Encoder) error { return e.EncodeInt32(int32(n)) },
			func(e *vmsgpack.Encoder) error { return e.EncodeInt64(n) },
			func(e *vmsgpack.Encoder) error { return e.EncodeUint8(uint8(n)) },
			func(e *vmsgpack.Encoder) error { return e.EncodeUint16(uint16(n)) },
			func(e *vmsgpack.Encoder) error { return e.EncodeUint32(uint32(n)) },
		} {
			enc := reference(t, write)
			want, err := vmsgpack.NewDecoder(bytes.NewReader(enc)).DecodeInt64()
			if err != nil {
				t.Fatal(err)
			}
			r := NewReader(string(enc))
			if got := r.Int(); got != want || r.Err() != nil || r.Len() != 0 {
				t.Errorf("%x reads as %d, %v; want %d", enc, got, r.Err(), want)
			}
		}
	}
}

// TestSignsAreChecked proves that no number wraps around.
func TestSignsAreChecked(t *testing.T) {
	r := NewReader(string(AppendInt(nil, -1)))
	if n := r.Uint(); n != 0 || !errors.Is(r.Err(), ErrMalformed) {
		t.Errorf("-1 reads as %d, %v", n, r.Err())
	}
	r = NewReader(string(AppendUint(nil, math.MaxInt64+1)))
	if n := r.Int(); n != 0 || !errors.Is(r.Err(), ErrMalformed) {
		t.Errorf("2^63 reads as %d, %v", n, r.Err())
	}
}

// TestFloatsOf32Bits proves that the short form of floats is read.
func TestFloatsOf32Bits(t *testing.T) {
	r := NewReader(string(binary.BigEndian.AppendUint32([]byte{float32c}, math.Float32bits(1.5))))
	if x := r.Float(); x != 1.5 || r.Err() != nil {
		t.Errorf("reads as %v, %v", x, r.Err())
	}
}

// reads is every way to read a value, by the kinds that it takes.
var reads = []struct {
	name  string
	read  func(*Reader)
	kinds []Kind
}{
	{"Nil", func(r *Reader) {
		if !r.Nil() {
			r.fail()
		}
	}, []Kind{Nil}},
	{"Bool", func(r *Reader) { r.Bool() }, []Kind{Bool}},
	{"Uint", func(r *Reader) { r.Uint() }, []Kind{Uint}},
	{"Int", func(r *Reader) { r.Int() }, []Kind{Uint, Int}},
	{"Float", func(r *Reader) { r.Float() }, []Kind{Float}},
	{"Text", func(r *Reader) { r.Text() }, []Kind{Text}},
	{"Bin", func(r *Reader) { r.Bin() }, []Kind{Bin}},
	{"Time", func(r *Reader) { r.Time() }, []Kind{Ext}},
	{"Array", func(r *Reader) { r.Array() }, []Kind{Array}},
	{"Map", func(r *Reader) { r.Map() }, []Kind{Map}},
}

// TestEachReadTakesItsKindOnly proves that a read of another kind of value
// fails, and so does every read after it.
func TestEachReadTakesItsKindOnly(t *testing.T) {
	for c := range 256 {
		// Enough zeros for any fixed-width value, and a timestamp's type.
		s := string([]byte{byte(c)}) + "\xff" + strings.Repeat("\x00", 20)
		for _, rd := range reads {
			r := NewReader(s)
			kind := r.Peek()
			rd.read(&r)
			takes := bytes.IndexByte(kindBytes(rd.kinds), byte(kind)) >= 0
			if r.Err() == nil && !takes {
				t.Errorf("%s takes %#x", rd.name, c)
			}
			if r.Err() != nil && (r.Len() != 0 || r.Uint() != 0 || r.Text() != "" || r.Peek() != Invalid) {
				t.Errorf("%s of %#x: reading goes on after the failure", rd.name, c)
			}
		}
	}
}

func kindBytes(kinds []Kind) (b []byte) {
	for _, k := range kinds {
		b = append(b, byte(k))
	}
	return b
}

// TestTruncationIsFound proves that no prefix of a value is read as a value.
func TestTruncationIsFound(t *testing.T) {
	b := AppendMap(AppendArray(nil, 6), 1)
	b = AppendInt(AppendText(b, "key"), -70_000)
	b = AppendBin(b, bytes.Repeat([]byte{7}, 300))
	b = AppendFloat(AppendText(b, strings.Repeat("x", 70)), 2.5)
	b = AppendUint(AppendBool(b, true), math.MaxUint64)
	for n := range b {
		r := NewReader(string(b[:n]))
		if got := r.Skip(); got != "" || !errors.Is(r.Err(), ErrMalformed) {
			t.Fatalf("the first %d of %d bytes are skipped: %q, %v", n, len(b), got, r.Err())
		}
	}
	r := NewReader(string(b))
	if got := r.Skip(); got != string(b) || r.Err() != nil {
		t.Fatalf("the whole is not: %v", r.Err())
	}
}

// TestHostileInputIsCheap proves that lengths and depths in the input cost
// neither memory nor stack.
func TestHostileInputIsCheap(t *testing.T) {
	for name, s := range map[string]string{
		"array":  "\xdd\xff\xff\xff\xff\x00",
		"map":    "\xdf\xff\xff\xff\xff\x00",
		"text":   "\xdb\xff\xff\xff\xffx",
		"bin":    "\xc6\xff\xff\xff\xffx",
		"ext":    "\xc9\xff\xff\xff\xff\x01x",
		"nested": strings.Repeat("\x91", 1<<20),
		"wide":   strings.Repeat("\xdc\xff\xff", 1<<16),
	} {
		r := NewReader(s)
		allocs := testing.AllocsPerRun(1, func() {
			r = NewReader(s)
			r.Skip()
		})
		if !errors.Is(r.Err(), ErrMalformed) || allocs > 0 {
			t.Errorf("%s: %v after %v allocations", name, r.Err(), allocs)
		}
	}
}

// FuzzSkip compares Skip with that of the library: what is a value, and where
// it ends.
func FuzzSkip(f *testing.F) {
	f.Add([]byte("\x93\x01\xa1x\x81\xa1y\xc0"))
	f.Add(append(AppendArray16(nil, fixedCount), fixedElements()...))
	for _, v := range []any{int64(1) << 40, 1.5, float32(2), []any{[]any{}}, map[string]int{"a": 1}} {
		f.Add(reference(f, func(e *vmsgpack.Encoder) error { return e.Encode(v) }))
	}
	f.Add([]byte("\xd6\xff\x00\x00\x00\x01"))
	f.Add([]byte("\xc7\x03\x05abc"))
	f.Add([]byte("\xdd\xff\xff\xff\xff\xc0"))
	f.Add([]byte("\xc7\x02\x05\x01\x02\xd4\x01\x01\xd8"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rest, ok := Skip(b)
		in := bytes.NewReader(b)
		err := vmsgpack.NewDecoder(in).Skip()
		if ok != (err == nil) {
			t.Fatalf("%x: ok is %v, the library says %v", head(b), ok, err)
		}
		if ok && len(rest) != in.Len() {
			t.Fatalf("%x: %d bytes are left, the library leaves %d", head(b), len(rest), in.Len())
		}
		if text, same := Skip(string(b)); same != ok || text != string(rest) {
			t.Fatalf("%x: as a string %d bytes are left, %v", head(b), len(text), same)
		}
	})
}
