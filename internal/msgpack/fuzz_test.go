package msgpack

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	vmsgpack "github.com/vmihailenco/msgpack/v5"
)

// FuzzMsgpack compares this package with vmihailenco/msgpack. It takes the
// input as a script of values to write, whose bytes must be the same, and as
// bytes to read, on which both must agree: whether they are a value, where it
// ends, and what it is. The rules by which this package is stricter are named
// in compareValue.
func FuzzMsgpack(f *testing.F) {
	for _, n := range edges {
		f.Add(binary.BigEndian.AppendUint64([]byte{0}, uint64(n)))
		f.Add(AppendInt(nil, n))
		f.Add(AppendFloat(nil, float64(n)))
	}
	for op := range byte(writeOps) {
		f.Add(append([]byte{op}, "\x00\x00\x00\x00\x00\x00\x01\x00"...))
	}
	for _, at := range []time.Time{{}, time.Unix(5, 0), time.Unix(5, 6), time.Unix(1<<34, 7)} {
		f.Add(AppendTime(nil, at))
	}
	f.Add([]byte("\xc7\x0c\xff\x3b\x9a\xca\x00\x00\x00\x00\x00\x00\x00\x00\x00")) // 1e9 nanoseconds
	f.Add([]byte("\xdd\xff\xff\xff\xff\xc0"))
	f.Add([]byte("\xc7\x02\x05\x01\x02\xd4\x01\x01\xd8"))
	f.Add(AppendArrayOf(nil, 1, newEveryForm().fields(), ""))
	f.Add(append(AppendArray16(nil, fixedCount), fixedElements()...))
	f.Fuzz(func(t *testing.T, in []byte) {
		compareWriting(t, in)
		compareReading(t, in)
	})
}

// writeOps is the number of kinds of values that compareWriting writes.
const writeOps = 9

// compareWriting writes the values that script describes with both, in at most
// 32 pieces of an op and 8 bytes.
func compareWriting(t *testing.T, script []byte) {
	var ours []byte
	var theirs bytes.Buffer
	e := vmsgpack.NewEncoder(&theirs)
	for pieces := 0; pieces < 32 && len(script) >= 9; pieces++ {
		n := binary.BigEndian.Uint64(script[1:])
		text := strings.Repeat("x", int(n%70_000))
		at := time.Unix(int64(n>>4)>>(n&15), int64(n%1e9))
		var err error
		switch script[0] % writeOps {
		case 0:
			ours, err = AppendInt(ours, int64(n)), e.EncodeInt(int64(n))
		case 1:
			ours, err = AppendUint(ours, n), e.EncodeUint(n)
		case 2:
			ours, err = AppendFloat(ours, math.Float64frombits(n)), e.EncodeFloat64(math.Float64frombits(n))
		case 3:
			ours, err = AppendText(ours, text), e.EncodeString(text)
		case 4:
			ours, err = AppendBin(ours, text), e.EncodeBytes([]byte(text))
		case 5:
			ours, err = AppendArray(ours, len(text)), e.EncodeArrayLen(len(text))
		case 6:
			ours, err = AppendMap(ours, len(text)), e.EncodeMapLen(len(text))
		case 7:
			ours, err = AppendTime(ours, at), e.EncodeTime(at)
		case 8:
			ours, err = AppendBool(AppendNil(ours), n&1 == 1), e.EncodeNil()
			_ = e.EncodeBool(n&1 == 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		script = script[9:]
	}
	same(t, "script", ours, theirs.Bytes())
}

// compareReading reads the first value of in with both.
func compareReading(t *testing.T, in []byte) {
	skipped, ok := Skip(in)
	rest := bytes.NewReader(in)
	err := vmsgpack.NewDecoder(rest).Skip()
	if ok != (err == nil) {
		t.Fatalf("%x: ok is %v, the library says %v", head(in), ok, err)
	}
	if !ok {
		return
	}
	if len(skipped) != rest.Len() {
		t.Fatalf("%x: %d bytes are left, the library leaves %d", head(in), len(skipped), rest.Len())
	}
	value := in[:len(in)-len(skipped)]
	r := NewReader(string(value))
	if got := r.Skip(); got != string(value) || Count(got) != 1 {
		t.Fatalf("%x: the reader skips %x", head(value), head([]byte(got)))
	}
	r = NewReader(string(value))
	d := vmsgpack.NewDecoder(bytes.NewReader(value))
	for left := 1; left > 0 && !r.Failed(); left-- {
		left += compareValue(t, &r, d)
	}
	if !r.Failed() && r.Len() > 0 {
		t.Fatalf("%x: %d bytes are left", head(value), r.Len())
	}
}

// compareValue reads one value with both, of an array or map only the head, and
// returns how many values are inside.
func compareValue(t *testing.T, r *Reader, d *vmsgpack.Decoder) (inner int) {
	t.Helper()
	equal := func(got, want any, err error) {
		t.Helper()
		if err != nil || r.Failed() || got != want {
			t.Fatalf("reads as %v, %v; the library reads %v, %v", got, r.Err(), want, err)
		}
	}
	switch r.Peek() {
	case Nil:
		equal(r.Nil(), true, d.DecodeNil())
	case Bool:
		want, err := d.DecodeBool()
		equal(r.Bool(), want, err)
	case Uint:
		want, err := d.DecodeUint64()
		again := *r
		equal(r.Uint(), want, err)
		// Rule: what no int64 holds is no Int. The library wraps it around.
		if n := again.Int(); again.Failed() != (want > math.MaxInt64) || !again.Failed() && n != int64(want) {
			t.Fatalf("%d reads as the Int %d, %v", want, n, again.Err())
		}
	case Int:
		want, err := d.DecodeInt64()
		again := *r
		equal(r.Int(), want, err)
		// Rule: what is negative is no Uint. The library wraps it around.
		if n := again.Uint(); again.Failed() != (want < 0) || !again.Failed() && n != uint64(want) {
			t.Fatalf("%d reads as the Uint %d, %v", want, n, again.Err())
		}
	case Float:
		want, err := d.DecodeFloat64()
		equal(math.Float64bits(r.Float()), math.Float64bits(want), err)
	case Text:
		want, err := d.DecodeString()
		equal(r.Text(), want, err)
	case Bin:
		want, err := d.DecodeBytes()
		equal(r.Bin(), string(want), err)
	case Array:
		want, err := d.DecodeArrayLen()
		inner = r.Array()
		equal(inner, want, err)
	case Map:
		want, err := d.DecodeMapLen()
		pairs := r.Map()
		inner = 2 * pairs
		equal(pairs, want, err)
	case Ext:
		compareTime(t, r, d)
	default:
		t.Fatal("a value of no kind was skipped")
	}
	return inner
}

// compareTime reads an extension as a time with both.
func compareTime(t *testing.T, r *Reader, d *vmsgpack.Decoder) {
	t.Helper()
	again := *r
	at := r.Time()
	want, err := d.DecodeTime()
	if !r.Failed() {
		if err != nil || !at.Equal(want) || at.Location() != time.UTC {
			t.Fatalf("reads as %v; the library reads %v, %v", at, want, err)
		}
		return
	}
	// Rules: a time is the extension -1 of 4, 8 or 12 bytes, and its
	// nanoseconds are less than a second. The library takes others, and carries
	// over.
	n, kind := again.ext()
	nanos := uint64(0)
	switch n {
	case 8:
		nanos = again.be(8) >> 34
	case 12:
		nanos = again.be(4)
	}
	if kind == timeExt && (n == 4 || n == 8 || n == 12) && nanos < 1e9 {
		t.Fatalf("a time is refused, which the library reads as %v, %v", want, err)
	}
}
