package sessionhttp

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// Each list of statuses in the description names every status, and no other.
func TestStatusesAreDocumented(t *testing.T) {
	var description any
	if err := json.Unmarshal(OpenAPI, &description); err != nil {
		t.Fatal(err)
	}
	lists := 0
	eachEnum(description, func(words []string) {
		if !slices.Contains(words, seshat.StatusActive.String()) {
			return
		}
		lists++
		for _, s := range seshat.Statuses() {
			if !slices.Contains(words, s.String()) {
				t.Errorf("openapi.json: a list of statuses lacks %v: %q", s, words)
			}
		}
		for _, word := range words {
			var s seshat.Status
			if err := s.UnmarshalText([]byte(word)); err != nil {
				t.Errorf("openapi.json: %q is no status", word)
			}
		}
	})
	if lists == 0 {
		t.Error("openapi.json lists no statuses")
	}
	most := member(t, description, "components", "schemas", "ListRequest", "properties", "status", "oneOf", 1,
		"maxItems")
	if want := float64(len(seshat.Statuses())); most != want {
		t.Errorf("openapi.json: a list may name %v statuses, want %v", most, want)
	}
}

// The description states the defaults of a lifecycle that the store has.
func TestDefaultsOfALifecycleAreDocumented(t *testing.T) {
	var description any
	if err := json.Unmarshal(OpenAPI, &description); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]time.Duration{
		"ttl": seshat.DefaultTTL, "retention": seshat.DefaultRetention,
	} {
		says, _ := member(t, description, "components", "schemas", "NewExpiry", "properties", field,
			"description").(string)
		stated := regexp.MustCompile(`The default of a store is (\w+)\.`).FindStringSubmatch(says)
		if stated == nil {
			t.Errorf("openapi.json states no default of %s", field)
			continue
		}
		if got, err := time.ParseDuration(stated[1]); err != nil || got != want {
			t.Errorf("openapi.json states %v as the default of %s, want %v (%v)", got, field, want, err)
		}
	}
}

// operation is what the description says of a route.
type operation struct {
	Security   *[]any
	Parameters []struct {
		Ref string `json:"$ref"`
	}
	RequestBody *struct{}
	Responses   map[string]any
}

// Each route is described, with what it takes, and nothing else is.
func TestRoutesAreDescribed(t *testing.T) {
	var description struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Parameters map[string]struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(OpenAPI, &description); err != nil {
		t.Fatal(err)
	}
	described := map[string]route{}
	for path, item := range description.Paths {
		for method, data := range item {
			if method == "parameters" { // of all methods
				continue
			}
			var op operation
			if err := json.Unmarshal(data, &op); err != nil {
				t.Fatal(err)
			}
			r := route{
				method: strings.ToUpper(method), pattern: path,
				open: op.Security != nil && len(*op.Security) == 0, body: op.RequestBody != nil,
			}
			r.reads = op.Responses["403"] == nil && r.method != http.MethodGet
			for _, ref := range op.Parameters {
				p := description.Components.Parameters[ref.Ref[strings.LastIndexByte(ref.Ref, '/')+1:]]
				switch {
				case p.In == "query":
					r.query = append(r.query, p.Name)
				case p.Name == "If-Match":
					r.ifMatch = true
				case p.Name == "Idempotency-Key":
					r.once = true
				}
			}
			described[r.named()] = r
		}
	}
	for _, r := range allRoutes {
		want := *r
		want.serve = nil
		got, ok := described[r.named()]
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("openapi.json says of %s\n%+v, want\n%+v", r.named(), got, want)
		}
		delete(described, r.named())
	}
	for name := range described {
		t.Errorf("openapi.json describes %s, which is no route", name)
	}
}

// member returns the value at a path of names and indexes in a JSON document.
func member(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			list, _ := v.([]any)
			if s >= len(list) {
				t.Fatalf("%v: no element %d", path, s)
			}
			v = list[s]
		}
	}
	if v == nil {
		t.Fatalf("%v: nothing is there", path)
	}
	return v
}

// eachEnum calls fn with the words of each enum in a JSON document.
func eachEnum(v any, fn func([]string)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			eachEnum(e, fn)
		}
	case map[string]any:
		for name, e := range v {
			list, ok := e.([]any)
			if name != "enum" || !ok {
				eachEnum(e, fn)
				continue
			}
			var words []string
			for _, w := range list {
				if s, ok := w.(string); ok && s != "" { // null and "" stand for "none"
					words = append(words, s)
				}
			}
			fn(words)
		}
	}
}
