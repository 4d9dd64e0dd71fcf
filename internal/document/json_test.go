package document

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// TestNumbersOfJSON proves that numbers keep all that 64 bits can hold.
func TestNumbersOfJSON(t *testing.T) {
	for in, want := range map[string]any{
		"0": int64(0), "-0": int64(0), "-9223372036854775808": int64(math.MinInt64),
		"9223372036854775807": int64(math.MaxInt64), "9223372036854775808": uint64(1 << 63),
		"18446744073709551615": uint64(math.MaxUint64), "18446744073709551616": float64(1 << 64),
		"-9223372036854775809": -float64(1 << 63), "1.0": 1.0, "1e2": 100.0, "2E-1": 0.2,
	} {
		m, err := FromJSON([]byte(` {"n": `+in+`} `), limits)
		if err != nil || !reflect.DeepEqual(m["n"], want) {
			t.Errorf("%s becomes %#v, %v", in, m["n"], err)
		}
	}
}

func TestValuesOfJSON(t *testing.T) {
	m, err := FromJSON([]byte(`{"s":"a\u0000b","n":null,"t":true,"l":[1,[],{}],"o":{"":{"k":"v"}}}`), limits)
	want := map[string]any{
		"s": "a\x00b", "n": nil, "t": true, "l": []any{int64(1), []any{}, map[string]any{}},
		"o": map[string]any{"": map[string]any{"k": "v"}},
	}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("%v, %v", m, err)
	}
	if m, err := FromJSON([]byte(" null\n"), limits); m != nil || err != nil {
		t.Errorf("null becomes %v, %v", m, err)
	}
	if m, err := FromJSON([]byte("{}"), limits); m == nil || len(m) != 0 || err != nil {
		t.Errorf("{} becomes %v, %v", m, err)
	}
}

// TestJSONRefusals proves that nothing is dropped or changed in silence.
func TestJSONRefusals(t *testing.T) {
	for in, path := range map[string]string{
		``: "", `{`: "", `[1]`: "", `"x"`: "", `1`: "", `nul`: "", `{"a":1} {}`: "", `{"a":1}}`: "", `{"a":1}x`: "",
		`{"a":1,}`: "", `{"a"}`: ".a", `{1:2}`: "", `{"a":[1,]}`: ".a[1]", `{"a":{"b":1]}`: ".a",
		`{"a":1,"a":2}`: ".a", `{"a":[{"b":1,"b":1}]}`: ".a[0].b", `{"a":1e999}`: ".a", "{\"a\":\"\xff\"}": "",
		`{"a":` + strings.Repeat("[", 1<<16): ".a" +
			strings.Repeat("[0]", limits.Depth-1),
		strings.Repeat(`{"d":`, limits.Depth+1) + "1" + strings.Repeat("}", limits.Depth+1): strings.Repeat(".d",
			limits.Depth),
	} {
		m, err := FromJSON([]byte(in), limits)
		if e := (*Error)(nil); !errors.As(err, &e) || m != nil || e.Path != path || e.Reason == "" {
			t.Errorf("%.40s: %v, %v", in, m, err)
		}
	}
	deepest := strings.Repeat(`{"d":`, limits.Depth-1) + "{}" + strings.Repeat("}", limits.Depth-1)
	if _, err := FromJSON([]byte(deepest), limits); err != nil {
		t.Errorf("%d levels: %v", limits.Depth, err)
	}
}

// FuzzJSONObject checks that FromJSON reads the values that encoding/json
// reads, and that they can be stored unless they are too large.
func FuzzJSONObject(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,2.5,null,true,"x"],"b":{"c":{}}}`, `null`, `{"a":1,"a":2}`, `{"a":1} x`, `[[[[]]]]`,
		`{"n":123456789012345678901234567890}`, `{"s":"\ud800"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := FromJSON(data, limits)
		var want map[string]any
		if wantErr := json.Unmarshal(data, &want); err == nil && wantErr != nil {
			t.Fatalf("%q is read, but is not valid: %v", data, wantErr)
		}
		if err != nil || len(data) > 4096 {
			return // small enough to be stored
		}
		back := normal(t, m)
		if len(m) > 0 && !reflect.DeepEqual(back, m) {
			t.Fatalf("%v comes back as %v", m, back)
		}
		got, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var again map[string]any
		if err := json.Unmarshal(got, &again); err != nil || !reflect.DeepEqual(again, want) {
			t.Fatalf("%q is read as %v; encoding/json reads %v", data, again, want)
		}
	})
}
