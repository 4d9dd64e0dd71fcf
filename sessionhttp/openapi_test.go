package sessionhttp

import (
	"encoding/json"
	"fmt"
	"math"
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
					r.idempotent = true
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

// bounds are the bounds in the description, by keyword and by the name of what
// they bound, with the parent's name if it matters.
var bounds = map[string]float64{
	"maxLength Namespace": seshat.MaxNameBytes, "maxLength SessionID": seshat.MaxNameBytes,
	"maxLength UserID": seshat.MaxNameBytes, "maxLength session_id": seshat.MaxNameBytes,
	"maxLength user_id": seshat.MaxNameBytes, "maxLength actor": seshat.MaxNameBytes,
	"maxLength reason": seshat.MaxReasonBytes, "maxLength labels": seshat.MaxNameBytes,
	"maxProperties labels": seshat.MaxLabels,

	"maxLength IfMatch": headerBound("If-Match"), "maxLength IfNoneMatch": headerBound("If-None-Match"),
	"maxLength IdempotencyKey": headerBound("Idempotency-Key"),

	"maximum Limit": seshat.MaxPage, "maximum Offset": maxOffset, "maximum pagination.limit": seshat.MaxPage,
	"maximum HistoryLimit": MaxHistory, "maximum HistoryOffset": math.MaxInt32,
	"maxItems History.messages": MaxHistory, "maxItems status": float64(len(seshat.Statuses())),

	"maxLength model": seshat.MaxNameBytes, "maximum temperature": seshat.MaxTemperature,
	"maximum max_tokens": seshat.MaxTokens, "maxLength system_prompt": seshat.MaxSystemPromptBytes,
	"maxItems available_tools": seshat.MaxTools, "maxLength available_tools": seshat.MaxNameBytes,

	"maximum max_messages": seshat.MaxQuota, "maximum max_tokens_total": seshat.MaxQuota,
	"maximum max_tool_calls": seshat.MaxQuota, "maximum rate_limit_messages_per_minute": seshat.MaxQuota,
	"maximum max_session_duration_minutes": seshat.MaxQuota,

	"maxItems NewMessages.messages": seshat.MaxTurnMessages, "maximum after": math.MaxInt64,
	"maximum seq": math.MaxInt64, "maxLength message_id": seshat.MaxNameBytes,
	"maxLength content": seshat.MaxContentBytes, "maxLength tool_name": seshat.MaxNameBytes,
	"maxLength tool_call_id": seshat.MaxNameBytes, "maxLength tool_status": seshat.MaxNameBytes,
	"maxLength author": seshat.MaxNameBytes, "maximum tool_calls": seshat.MaxMessageTokens,
	"maximum tokens": seshat.MaxMessageTokens, "maximum latency_ms": float64(seshat.MaxLatency / time.Millisecond),
}

// headerBound returns the largest length of a header.
func headerBound(name string) float64 {
	for _, h := range headers {
		if h.name == name {
			return float64(h.max)
		}
	}
	return 0
}

// The bounds in the description are those of the code.
func TestBoundsAreDocumented(t *testing.T) {
	var description any
	if err := json.Unmarshal(OpenAPI, &description); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	eachBound(description, nil, func(keyword string, names []string, got float64) {
		last := len(names) - 1
		name := keyword + " " + names[last-1] + "." + names[last]
		want, ok := bounds[name]
		if !ok {
			name = keyword + " " + names[last]
			want, ok = bounds[name]
		}
		seen[name] = true
		if !ok || got != want {
			t.Errorf("openapi.json: %s of %v is %.0f, want %.0f", keyword, names, got, want)
		}
	})
	for name := range bounds {
		if !seen[name] {
			t.Errorf("openapi.json has no %s", name)
		}
	}
}

// eachBound calls fn with each bound in a JSON document: its keyword, the names
// that lead to it, and its value.
func eachBound(v any, names []string, fn func(keyword string, names []string, got float64)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			eachBound(e, names, fn)
		}
	case map[string]any:
		for name, e := range v {
			n, isNumber := e.(float64)
			switch {
			case isNumber && slices.Contains(boundWords, name):
				fn(name, names, n)
			case slices.Contains(schemaWords, name):
				eachBound(e, names, fn)
			default:
				eachBound(e, append(slices.Clone(names), name), fn)
			}
		}
	}
}

var (
	boundWords  = []string{"maxLength", "maxItems", "maxProperties", "maximum"}
	schemaWords = []string{"schema", "properties", "items", "oneOf", "additionalProperties"}
)

// member returns the value at a path of names in a JSON document.
func member(t *testing.T, v any, path ...string) any {
	t.Helper()
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
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

// Each size in the text of the description is a limit of the store.
func TestSizesInTheTextAreLimits(t *testing.T) {
	limits := map[string]bool{}
	for _, n := range []int{
		seshat.MaxContentBytes, seshat.MaxPayloadBytes, seshat.MaxToolJSONBytes, seshat.MaxDocumentBytes,
		seshat.MaxSystemPromptBytes, seshat.MaxTurnBytes,
	} {
		limits[fmt.Sprint(n>>10, " KiB")] = true
		limits[fmt.Sprint(n>>20, " MiB")] = n >= 1<<20
	}
	limits[fmt.Sprint(seshat.MaxReasonBytes, " bytes")] = true
	limits[fmt.Sprint(seshat.MaxNameBytes, " bytes")] = true
	sizes := regexp.MustCompile(`([0-9]+) (KiB|MiB|bytes)`).FindAllString(string(OpenAPI), -1)
	if len(sizes) == 0 {
		t.Error("the text has no size")
	}
	for _, size := range sizes {
		if !limits[size] {
			t.Errorf("the text says %q, which is no limit", size)
		}
	}
}
