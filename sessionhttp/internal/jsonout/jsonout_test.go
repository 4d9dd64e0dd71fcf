package jsonout

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

// Promise: any string comes back as it was, invalid UTF-8 as encoding/json
// would replace it.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\r\t\x00\x1f\x7f", "é😀\u2028", "\xff\xc3", "a\xffb", "�"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(Text(nil, s), &got); err != nil || got != string([]rune(s)) {
			t.Errorf("%q comes back as %q, %v", s, got, err)
		}
	})
}

func TestTimesAreRFC3339(t *testing.T) {
	for _, at := range []time.Time{
		time.Unix(0, 0), time.UnixMilli(1_700_000_000_007), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
		time.Date(1, 2, 3, 4, 5, 6, 7e6, time.FixedZone("", 3600)),
	} {
		if got, want := string(Time(nil, at)), at.UTC().Format(`"2006-01-02T15:04:05.000Z"`); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := string(Time(nil, time.Time{})); got != "null" {
		t.Errorf("the zero time is %s", got)
	}
}

func TestNumbersComeBack(t *testing.T) {
	for _, f := range []float64{0, 0.7, -2, 1e-9, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		var got float64
		if err := json.Unmarshal(Float(nil, f), &got); err != nil || got != f {
			t.Errorf("%v comes back as %v, %v", f, got, err)
		}
	}
	if got := string(Uint(nil, math.MaxUint64)); got != "18446744073709551615" {
		t.Errorf("got %s", got)
	}
	if got := string(OptText(nil, "")) + string(OptText(nil, "x")); got != `null"x"` {
		t.Errorf("got %s", got)
	}
}
