package msgpack

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	vmsgpack "github.com/vmihailenco/msgpack/v5"
)

// reference returns what vmihailenco/msgpack writes.
func reference(t testing.TB, write func(*vmsgpack.Encoder) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(vmsgpack.NewEncoder(&b)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %x, the library writes %x", what, head(got), head(want))
	}
}

func head(b []byte) []byte { return b[:min(len(b), 32)] }

var edges = []int64{
	0, 1, 31, 32, 127, 128, 255, 256, 65535, 65536, math.MaxInt32, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64,
	-1, -32, -33, -128, -129, -32768, -32769, math.MinInt32, math.MinInt32 - 1, math.MinInt64,
}

// TestNumbersEqualTheLibrary proves that numbers are written as the library
// writes them.
func TestNumbersEqualTheLibrary(t *testing.T) {
	for _, n := range edges {
		same(t, "int", AppendInt(nil, n), reference(t, func(e *vmsgpack.Encoder) error { return e.EncodeInt(n) }))
		same(t, "uint", AppendUint(nil, uint64(n)),
			reference(t, func(e *vmsgpack.Encoder) error { return e.EncodeUint(uint64(n)) }))
		same(t, "float", AppendFloat(nil, float64(n)),
			reference(t, func(e *vmsgpack.Encoder) error { return e.EncodeFloat64(float64(n)) }))
	}
	same(t, "nil", AppendNil(nil), reference(t, (*vmsgpack.Encoder).EncodeNil))
	for _, v := range []bool{true, false} {
		same(t, "bool", AppendBool(nil, v), reference(t, func(e *vmsgpack.Encoder) error { return e.EncodeBool(v) }))
	}
}

// TestLengthsEqualTheLibrary proves that heads of every length are written as
// the library writes them.
func TestLengthsEqualTheLibrary(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		s := strings.Repeat("x", n)
		same(t, "text", AppendText(nil, s),
			reference(t, func(e *vmsgpack.Encoder) error { return e.EncodeString(s) }))
		same(t, "bin", AppendBin(nil, s),
			reference(t, func(e *vmsgpack.Encoder) error { return e.EncodeBytes([]byte(s)) }))
		same(t, "array", AppendArray(nil, n),
			reference(t, func(e *vmsgpack.Encoder) error { return e.EncodeArrayLen(n) }))
		same(t, "map", AppendMap(nil, n),
			reference(t, func(e *vmsgpack.Encoder) error { return e.EncodeMapLen(n) }))
	}
}

// TestTimesEqualTheLibrary proves that times are written as the library writes
// them, and read back in UTC.
func TestTimesEqualTheLibrary(t *testing.T) {
	for _, at := range []time.Time{
		{},
		time.Unix(0, 0), time.Unix(0, 1), time.Unix(math.MaxUint32, 0), time.Unix(math.MaxUint32+1, 0),
		time.Unix(1<<34-1, 999_999_999), time.Unix(1<<34, 5), time.Unix(-1, 0), time.Unix(253402300799, 999_999_999),
	} {
		enc := AppendTime(nil, at)
		same(t, at.String(), enc, reference(t, func(e *vmsgpack.Encoder) error { return e.EncodeTime(at) }))
		r := NewReader(string(enc))
		if back := r.Time(); r.Err() != nil || !back.Equal(at) || back.Location() != time.UTC {
			t.Errorf("%v reads as %v, %v", at, back, r.Err())
		}
	}
}
