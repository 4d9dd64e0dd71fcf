package sessionhttp

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// Promise: a document reads as its MarshalJSON says, whatever it holds.
func TestDocumentsAreMarshalJSONs(t *testing.T) {
	for _, m := range []map[string]any{
		nil,
		{},
		{"a": nil, "b": true, "c": false, "": "", "ü\u2028\"\n": "<&>\x7f"},
		{
			"n": int64(math.MinInt64), "m": uint64(math.MaxUint64), "f": 1e-7, "g": 2.0, "h": -0.5,
			"i":    math.MaxFloat64,
			"zero": 0,
		},
		{
			"bytes": []byte{0, 255, 1}, "none": []byte{}, "time": time.Unix(1, 5),
			"late": time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
		},
		{"list": []any{1, []any{}, map[string]any{"deep": []any{nil}}}, "map": map[string]any{}},
	} {
		same(t, seshat.NewDocument(m))
	}
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5,null,true,{"b":"c"}],"d":-1e-9}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d seshat.Document
		if d.UnmarshalJSON(data) == nil {
			same(t, d)
		}
	})
}

func same(t *testing.T, d seshat.Document) {
	t.Helper()
	want, err := d.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := appendDocument(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal(want, &w); err != nil || !reflect.DeepEqual(g, w) {
		t.Errorf("got %s, want %s", got, want)
	}
}
