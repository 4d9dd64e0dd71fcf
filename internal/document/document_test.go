package document

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

var limits = Limits{Bytes: 64 << 10, Depth: 32}

// normal encodes and decodes m, and fails the test if either does.
func normal(t testing.TB, m map[string]any) map[string]any {
	t.Helper()
	enc, err := Encode(m, limits)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(enc, limits); err != nil {
		t.Fatalf("%x is not a normal form: %v", enc, err)
	}
	back, err := Decode(enc, limits)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

type (
	color  string
	colors []color
	size   int16
	ratio  float32
	flag   bool
	raw    []byte
)

// TestNormalForms proves that each value is stored in the one form that
// NewDocument names for it.
func TestNormalForms(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.FixedZone("", 3600))
	for _, c := range []struct{ in, want any }{
		{nil, nil},
		{true, true},
		{"x", "x"},
		{flag(true), true},
		{color("red"), "red"},
		{int8(-1), int64(-1)},
		{uint8(200), int64(200)},
		{uint16(7), int64(7)},
		{size(-300), int64(-300)},
		{int64(math.MaxInt64), int64(math.MaxInt64)},
		{int64(math.MinInt64), int64(math.MinInt64)},
		{uint64(1 << 63), uint64(1 << 63)},
		{uint64(1<<63 - 1), int64(math.MaxInt64)},
		{uintptr(5), int64(5)},
		{float32(0.5), 0.5},
		{ratio(2), 2.0},
		{3.0, 3.0},
		{time.Second, int64(time.Second)},
		{json.Number("12"), int64(12)},
		{json.Number("1e2"), 100.0},
		{json.Number("18446744073709551615"), uint64(math.MaxUint64)},
		{[]byte("b"), []byte("b")},
		{[]byte{}, []byte{}},
		{raw("b"), []byte("b")},
		{[2]byte{1, 2}, []byte{1, 2}},
		{json.RawMessage("{}"), []byte("{}")},
		{at, at.UTC()},
		{time.Time{}, time.Time{}},
		{[]any{1, "a"}, []any{int64(1), "a"}},
		{[]string{"a"}, []any{"a"}},
		{[2]int{1, 2}, []any{int64(1), int64(2)}},
		{colors{"red"}, []any{"red"}},
		{[]any{}, []any{}},
		{[]map[string]int{{"a": 1}}, []any{map[string]any{"a": int64(1)}}},
		{map[string]string{"a": "b"}, map[string]any{"a": "b"}},
		{map[color]size{"a": 1}, map[string]any{"a": int64(1)}},
		{map[string]any{}, map[string]any{}},
		{[]byte(nil), nil},
		{[]any(nil), nil},
		{[]int(nil), nil},
		{map[string]any(nil), nil},
		{map[string]int(nil), nil},
	} {
		if got := normal(t, map[string]any{"v": c.in})["v"]; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%#v becomes %#v, not %#v", c.in, got, c.want)
		}
	}
}

// TestEqualValuesHaveEqualBytes proves that equal values have equal bytes,
// whatever order a map is walked in.
func TestEqualValuesHaveEqualBytes(t *testing.T) {
	a := map[string]any{"z": int8(1), "a": map[string]any{"y": 2.0, "b": []string{"x"}}, "m": []byte("q")}
	want, err := Encode(a, limits)
	if err != nil {
		t.Fatal(err)
	}
	b := map[string]any{"m": []byte("q"), "a": map[string]any{"b": []any{"x"}, "y": float32(2)}, "z": uint64(1)}
	for range 20 {
		if got, err := Encode(b, limits); got != want || err != nil {
			t.Fatalf("%x, %v; want %x", got, err, want)
		}
	}
}

func TestEmptyIsNothing(t *testing.T) {
	for _, m := range []map[string]any{nil, {}} {
		if enc, err := Encode(m, limits); enc != "" || err != nil {
			t.Errorf("%q, %v", enc, err)
		}
	}
	if m, err := Decode("", limits); m != nil || err != nil {
		t.Errorf("%v, %v", m, err)
	}
	if err := Check("", limits); err != nil {
		t.Error(err)
	}
}

// TestRefusals proves that a value that cannot be stored is refused, and that
// the error says where it is.
func TestRefusals(t *testing.T) {
	for path, v := range map[string]any{
		".v":                            math.NaN(),
		".v.a":                          map[string]any{"a": math.Inf(-1)},
		".v[1].b":                       []any{1, map[string]any{"b": func() {}}},
		".v[2]":                         []string{"", "", "\xff"},
		".v.c":                          map[string]string{"c": "\xff"},
		".v[0]":                         []any{new(int)},
		".v[0][1]":                      [][]float32{{1, float32(math.Inf(1))}},
		".v.s":                          map[string]any{"s": struct{ A int }{}},
		".v.n":                          map[string]any{"n": json.Number("ten")},
		".v.i":                          map[string]any{"i": map[int]string{1: "a"}},
		".v.t":                          map[string]any{"t": time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
		`.v["a.b"]`:                     map[string]any{"a.b": math.NaN()},
		".v.app:theme":                  map[string]any{"app:theme": math.NaN()},
		".v.ключ[0]":                    map[string]any{"ключ": []any{math.NaN()}},
		".v." + strings.Repeat("k", 64): map[string]any{strings.Repeat("k", 64): math.NaN()},
	} {
		refused(t, path, map[string]any{"v": v})
	}
}

// TestRefusalsHideKeys proves that an error hides keys that a user may have
// said.
func TestRefusalsHideKeys(t *testing.T) {
	refused(t, ".v[…]", map[string]any{"v": map[string]any{"I said \xff": 1}})
	for _, key := range []string{
		"", "a\nb", "I live at 5 Elm Street", "mia@example.org", `"`, "[0]", "\u202e", strings.Repeat("k", 65),
		strings.Repeat("я", 33),
	} {
		refused(t, ".v[…]", map[string]any{"v": map[string]any{key: math.NaN()}})
		refused(t, ".v[…][0]", map[string]any{"v": map[string]any{key: []any{func() {}}}})
	}
}

func refused(t *testing.T, path string, m map[string]any) {
	t.Helper()
	enc, err := Encode(m, limits)
	if e := (*Error)(nil); !errors.As(err, &e) || enc != "" || e.Path != path || e.Reason == "" {
		t.Errorf("at %s: %.20q, %v", path, enc, err)
	}
}

// TestSizeLimit proves that a document takes at most its limit, to the byte.
func TestSizeLimit(t *testing.T) {
	const around = 1 + 2 + 3 // of the map, the key and the length
	for _, v := range []any{
		strings.Repeat("x", limits.Bytes-around), make([]byte, limits.Bytes-around), make([]any, limits.Bytes-around),
	} {
		if enc, err := Encode(map[string]any{"k": v}, limits); err != nil || len(enc) != limits.Bytes {
			t.Errorf("%T: %d bytes, %v", v, len(enc), err)
		}
	}
	for _, v := range []any{
		strings.Repeat("x", limits.Bytes-around+1), make([]byte, limits.Bytes-around+1), make([]any, 1<<20),
		[1 << 17]bool{},
		make([]string, limits.Bytes),
		[1 << 17]byte{},
	} {
		refused(t, ".k", map[string]any{"k": v})
	}
	full := make([]any, limits.Bytes-around)
	full[len(full)-1] = 1.5
	refused(t, ".k["+strconv.Itoa(len(full)-1)+"]", map[string]any{"k": full})
	wide := map[color]bool{}
	for i := range limits.Bytes + 1 {
		wide[color(strconv.Itoa(i))] = true
	}
	refused(t, ".k", map[string]any{"k": wide})
}

// TestDepthLimit proves that the depth is limited to the level, and a cycle
// ends there.
func TestDepthLimit(t *testing.T) {
	deep := map[string]any{}
	for range limits.Depth - 1 {
		deep = map[string]any{"d": deep}
	}
	if got := normal(t, deep); !reflect.DeepEqual(got, deep) {
		t.Errorf("%d levels come back as %v", limits.Depth, got)
	}
	refused(t, strings.Repeat(".d", limits.Depth), map[string]any{"d": deep})

	cycle := map[string]any{}
	cycle["c"] = cycle
	refused(t, strings.Repeat(".c", limits.Depth), cycle)
	list := []any{nil}
	list[0] = list
	refused(t, ".l"+strings.Repeat("[0]", limits.Depth-1), map[string]any{"l": list})
	type nest []nest
	named := nest{nil}
	named[0] = named
	refused(t, ".n"+strings.Repeat("[0]", limits.Depth-1), map[string]any{"n": named})
}

// TestSharedValuesDoNotExplode proves that a value that is reached along many
// paths costs no more than its limit in bytes.
func TestSharedValuesDoNotExplode(t *testing.T) {
	v := []any{1}
	for range limits.Depth - 2 {
		v = []any{v, v, v, v}
	}
	if enc, err := Encode(map[string]any{"v": v}, limits); err == nil || enc != "" {
		t.Errorf("%d bytes, %v", len(enc), err)
	}
}

// TestDecodedValuesAreFresh proves that the caller owns the values that Decode
// returns.
func TestDecodedValuesAreFresh(t *testing.T) {
	m := map[string]any{"b": []byte("abc"), "l": []any{"x"}, "m": map[string]any{"k": int64(1)}}
	enc, err := Encode(m, limits)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := Decode(enc, limits)
	first["b"].([]byte)[0], first["l"].([]any)[0], first["m"].(map[string]any)["k"] = 'z', "z", "z"
	if second, err := Decode(enc, limits); err != nil || !reflect.DeepEqual(second, m) {
		t.Errorf("%v, %v", second, err)
	}
}
