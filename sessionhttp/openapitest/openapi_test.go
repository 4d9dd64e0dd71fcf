// Package openapitest holds the description of the routes against what they
// do. It is a module of its own because it needs a validator.
package openapitest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/seshatdb/seshat/sessionhttp"
	"github.com/seshatdb/seshat/sessionhttp/httpsuite"
)

func open(t *testing.T) (validator.Validator, *v3.Document) {
	t.Helper()
	document, err := libopenapi.NewDocument(sessionhttp.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(document, config.WithFormatAssertions(), config.WithContentAssertions())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	model, err := document.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	return v, &model.Model
}

// Promise: the description is a valid OpenAPI 3.1 document.
func TestDescriptionIsValid(t *testing.T) {
	v, model := open(t)
	if ok, errs := v.ValidateDocument(); !ok {
		report(t, "the document", errs)
	}
	if model.Version != "3.1.0" {
		t.Errorf("version %q", model.Version)
	}
}

// Promise: an answer that is not as described does not pass.
func TestOtherAnswersAreFound(t *testing.T) {
	v, _ := open(t)
	const route, good = "/v1/agents/sessions/{session_id}", `{"session_id":"s","updated_at":"2026-01-05T00:00:00.000Z"}`
	for body, want := range map[string]bool{
		good: true, `{"session_id":"s"}`: false, `{"session_id":1,"updated_at":"2026-01-05T00:00:00.000Z"}`: false,
		good[:len(good)-1] + `,"more":1}`: false, `{"session_id":"s","updated_at":"today"}`: false, `[]`: false,
	} {
		e := &httpsuite.Exchange{
			Route: route, Method: "PATCH", Header: http.Header{}, Status: 200, Body: []byte(body),
			Answer: http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"r"}, "Etag": {`"1"`}},
		}
		if ok, _ := v.ValidateHttpResponse(request(e), response(e)); ok != want {
			t.Errorf("%s: passes is %v, want %v", body, ok, want)
		}
	}
	e := &httpsuite.Exchange{Route: route, Method: "PATCH", Status: 418, Answer: http.Header{}, Body: []byte(good)}
	if ok, _ := v.ValidateHttpResponse(request(e), response(e)); ok {
		t.Error("a status that is not described passes")
	}
}

func report(t testing.TB, what string, errs []*errors.ValidationError) {
	t.Helper()
	for _, e := range errs {
		t.Errorf("%s: %s: %s", what, e.Message, e.Reason)
		for _, s := range e.SchemaValidationErrors {
			t.Errorf("  at %s: %s", s.KeywordLocation, s.Reason)
		}
	}
}

// Promise: every answer of every test of a route is one that the description
// has, a request that was accepted too, and nothing is described that no test
// has seen.
func TestRoutesAreAsDescribed(t *testing.T) {
	v, model := open(t)
	seen := &answers{seen: map[string]bool{}}
	httpsuite.Run(t, func(t testing.TB, e *httpsuite.Exchange) {
		seen.add(e)
		if e.Status == http.StatusMethodNotAllowed || e.Route == "" || e.Method == http.MethodHead {
			return // no operation: the suite checks their form
		}
		if len(e.Body) == 0 && e.Status != http.StatusNotModified {
			t.Errorf("%s %s answers %d with nothing", e.Method, e.Route, e.Status) // the validator lets it pass
		}
		if ok, errs := v.ValidateHttpResponse(request(e), response(e)); !ok {
			report(t, e.Method+" "+e.Route+" answers "+strconv.Itoa(e.Status)+" "+string(e.Body), errs)
		}
		if e.Status >= 300 || e.Header.Get("Authorization") == "" {
			return // refused, or let in by the host's own way
		}
		if ok, errs := v.ValidateHttpRequest(request(e)); !ok {
			report(t, e.Method+" "+e.Route+" takes "+string(e.Sent), errs)
		}
	})
	seen.complete(t, model)
}

// request is the exchange's request with plain ids in its path, which no
// validator takes apart in its own way.
func request(e *httpsuite.Exchange) *http.Request {
	path := strings.NewReplacer("{session_id}", "s", "{user_id}", "u").Replace(e.Route)
	if e.Query != "" {
		path += "?" + e.Query
	}
	r := httptest.NewRequest(e.Method, "/", bytes.NewReader(e.Sent))
	u, err := r.URL.Parse(path)
	if err != nil {
		u, _ = r.URL.Parse(strings.TrimSuffix(path, "?"+e.Query))
	}
	r.URL, r.Header = u, e.Header
	if len(e.Sent) == 0 {
		r.Body = http.NoBody
	}
	return r
}

func response(e *httpsuite.Exchange) *http.Response {
	return &http.Response{
		StatusCode: e.Status, Header: e.Answer, ContentLength: int64(len(e.Body)),
		Body: io.NopCloser(bytes.NewReader(e.Body)),
	}
}

// answers are the statuses that were seen of each operation.
type answers struct {
	mu   sync.Mutex // guards seen
	seen map[string]bool
}

func (a *answers) add(e *httpsuite.Exchange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[e.Method+" "+e.Route+" "+strconv.Itoa(e.Status)] = true
}

// unseen are described, but no test of a route can cause them at will.
var unseen = map[string]bool{"500": true, "431": true, "414": true}

// complete expects that each answer which is described was seen.
func (a *answers) complete(t *testing.T, model *v3.Document) {
	for path, item := range model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			for status := range op.Responses.Codes.FromOldest() {
				what := strings.ToUpper(method) + " " + path + " " + status
				if !a.seen[what] && !unseen[status] {
					t.Errorf("%s is described, but was never seen", what)
				}
			}
		}
	}
}
