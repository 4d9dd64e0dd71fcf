package sessionhttp

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/seshattest"
)

// named returns the method and path of a route.
func (r *route) named() string { return r.method + " " + r.pattern }

// filled returns the path of a route with ids.
func (r *route) filled() string {
	return strings.NewReplacer("{session_id}", "s", "{user_id}", "u").Replace(r.pattern)
}

// Each route is found under its path.
func TestRoutesAreFound(t *testing.T) {
	for _, r := range allRoutes {
		p, err := find(r.method, r.filled())
		if err != nil || p.resource == nil || p.pattern != r.pattern || p.routes[r.method] != r {
			t.Errorf("%s leads to %+v, %v", r.named(), p, err)
		}
	}
}

// A key that may only read is refused on every route except GET and those
// that are marked.
func TestReadOnlyKeysAreRefused(t *testing.T) {
	marked := []string{"POST " + sessionsPath + "/list"}
	h := Handler(seshattest.Open(t).Store, Options{
		Authenticate: func(*http.Request) (Grant, error) { return Grant{ReadOnly: true}, nil },
	})
	for _, r := range allRoutes {
		if r.reads != slices.Contains(marked, r.named()) {
			t.Errorf("%s is marked as a read: %v", r.named(), r.reads)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(r.method, r.filled(), http.NoBody))
		refused := r.method != http.MethodGet && !slices.Contains(marked, r.named())
		if got := w.Code == http.StatusForbidden; got != refused {
			t.Errorf("%s answers a key that may only read with %d", r.named(), w.Code)
		}
	}
}

// The comment of Handler lists each route.
func TestRoutesAreInTheComment(t *testing.T) {
	code, err := os.ReadFile("handler.go")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, line := range regexp.MustCompile(`(?m)^//\t([A-Z]+) +(.*)$`).FindAllStringSubmatch(string(code), -1) {
		for _, path := range regexp.MustCompile(`/[^\s,]+`).FindAllString(line[2], -1) {
			listed = append(listed, line[1]+" "+path)
		}
	}
	var routes []string
	for _, r := range allRoutes {
		routes = append(routes, r.named())
	}
	slices.Sort(listed)
	slices.Sort(routes)
	if !slices.Equal(listed, routes) {
		t.Errorf("the comment lists\n%q, the routes are\n%q", listed, routes)
	}
}
