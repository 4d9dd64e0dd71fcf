package msgpack

import (
	"bytes"
	"testing"

	vmsgpack "github.com/vmihailenco/msgpack/v5"
)

// fixedElements is one element of each fixed-width form, the last one of a
// later version.
func fixedElements() []byte {
	b := AppendUint32(AppendUint8(nil, 200), 1<<20)
	b = AppendInt64(AppendUint64(b, 1<<40), -5)
	b = AppendBin16(AppendStr8(b, "text"), [16]byte{1, 2})
	b = AppendBin32(b, []byte("bytes"))
	b = AppendStr8(AppendStr8(AppendMap16(b, 1), "k"), "v")
	return AppendText(AppendArray(b, 1), "later")
}

const fixedCount = 9

// TestFixedRoundTrip proves that each fixed-width form reads back, and that
// elements of later versions are skipped.
func TestFixedRoundTrip(t *testing.T) {
	r := NewFixedReader(fixedElements(), fixedCount)
	if r.Uint8() != 200 || r.Uint32() != 1<<20 || r.Uint64() != 1<<40 || r.Int64() != -5 {
		t.Error("numbers differ")
	}
	if string(r.Str8()) != "text" || r.Bin16() != [16]byte{1, 2} || string(r.Bin32()) != "bytes" {
		t.Error("bytes differ")
	}
	if r.Map16() != 1 || string(r.Str8()) != "k" || string(r.Str8()) != "v" {
		t.Error("the map differs")
	}
	if r.Left() != 1 || !r.Done() || r.Failed() || r.Len() != 0 {
		t.Errorf("%d elements and %d bytes are left", r.Left(), r.Len())
	}
}

// TestFixedFormsAreMsgpack proves that the library reads the fixed-width forms
// as the same values.
func TestFixedFormsAreMsgpack(t *testing.T) {
	d := vmsgpack.NewDecoder(bytes.NewReader(append(AppendArray16(nil, fixedCount), fixedElements()...)))
	n, err := d.DecodeArrayLen()
	if err != nil || n != fixedCount {
		t.Fatalf("%d elements, %v", n, err)
	}
	var got [fixedCount]any
	for i := range got {
		if got[i], err = d.DecodeInterface(); err != nil {
			t.Fatal(err)
		}
	}
	want := [4]any{uint8(200), uint32(1 << 20), uint64(1 << 40), int64(-5)}
	if [4]any(got[:4]) != want || got[4] != "text" || !bytes.Equal(got[6].([]byte), []byte("bytes")) {
		t.Errorf("the library reads %v", got)
	}
}

// TestFixedReaderFails proves that a cut value, an element of another form, a
// wrong count and trailing bytes are refused, and that a failed reader answers
// with zeros.
func TestFixedReaderFails(t *testing.T) {
	readAll := func(b []byte, n int) bool {
		r := NewFixedReader(b, n)
		r.Uint8()
		r.Uint32()
		r.Uint64()
		r.Int64()
		r.Str8()
		r.Bin16()
		r.Bin32()
		for range 2 * r.Map16() {
			r.Str8()
		}
		return r.Done()
	}
	b := fixedElements()
	for n := range b {
		if readAll(b[:n], fixedCount) {
			t.Errorf("the first %d of %d bytes are read", n, len(b))
		}
	}
	for _, n := range []int{-1, 0, fixedCount - 1, fixedCount + 1} {
		if readAll(b, n) {
			t.Errorf("%d elements are read as %d", fixedCount, n)
		}
	}
	if readAll(append(b, 0), fixedCount) {
		t.Error("a trailing byte is read")
	}
	r := NewFixedReader(b, fixedCount)
	if r.Int64() != 0 || !r.Failed() || r.Uint8() != 0 || r.Str8() != nil || r.Map16() != 0 || r.Done() {
		t.Error("reading goes on after the failure")
	}
}
