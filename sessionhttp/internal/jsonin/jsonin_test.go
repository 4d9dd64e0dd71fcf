package jsonin

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

var accepted = []string{
	`null`, ` true `, `-0.5e+3`, `"\ud83d\ude00 \u00e9 é"`, `[]`, `[1, [2,{}] ,"]"]`, `{"a":{"b":[{"c":"}"}]},"A":1}`,
	`{"":0," ":[]}`, strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth),
}

// Promise: what passes is read as encoding/json reads it.
func TestAcceptedValuesAreEncodingJSONs(t *testing.T) {
	for _, text := range accepted {
		if err := Check([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		sameAsReference(t, text)
	}
}

// Promise: what encoding/json would change or guess is refused, with its place.
func TestRefusedValues(t *testing.T) {
	for text, path := range map[string]string{
		``: "", `{`: "", `{}x`: "", `{} {}`: "", `nul`: "", `01`: "", `1.`: "", `-`: "", `+1`: "", `1e`: "",
		`"\x"`: "", "\"\n\"": "", `"\ud800"`: "", `"\udc00\ud800"`: "", `"\ud800\u0041"`: "", "\"\xff\"": "",
		`{"a":1,"a":2}`: "a", `{"a":[{"b":1,"\u0062":2}]}`: "a[0].b", `[1,]`: "[1]", `{"a":1,}`: "", `{a:1}`: "",
		`{"a" 1}`: "", `[1 2]`: "", `{"a":"` + "\xc3" + `"}`: "a", `"\u12"`: "", `{"a":tru}`: "a",
		strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1): strings.Repeat("[0]", MaxDepth),
	} {
		err := Check([]byte(text))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q passed", text)
		} else if e.Path != path || e.Error() == "" {
			t.Errorf("%q is refused at %q, want %q", text, e.Path, path)
		}
	}
}

// Promise: a key in an error is short and printable.
func TestStepsAreShort(t *testing.T) {
	for _, key := range []string{"", "a.b", "a[0]", "\x00", strings.Repeat("k", 1<<16), "é"} {
		if s := step(key); len(s) > 80 || s == "" || strings.ContainsRune(s, 0) {
			t.Errorf("%.10q shows as %q", key, s)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, text := range accepted {
		f.Add(text)
	}
	f.Add(`{"a":1,"a":2}`)
	f.Fuzz(func(t *testing.T, text string) {
		if Check([]byte(text)) == nil {
			sameAsReference(t, text)
		}
	})
}

func sameAsReference(t *testing.T, text string) {
	t.Helper()
	var want any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&want); err != nil {
		t.Fatalf("%q passed, but %v", text, err)
	}
	if got := tree(Value([]byte(text))); !reflect.DeepEqual(got, want) {
		t.Errorf("%q is read as %v, want %v", text, got, want)
	}
}

func tree(r Raw) any {
	switch r.Kind() {
	case Object:
		m := map[string]any{}
		for _, x := range r.Members() {
			m[x.Name] = tree(x.Value)
		}
		return m
	case Array:
		list := []any{}
		for _, x := range r.Items() {
			list = append(list, tree(x))
		}
		return list
	case String:
		return Text(r)
	case Bool:
		return string(r) == "true"
	case Null:
		return nil
	}
	return json.Number(r)
}
