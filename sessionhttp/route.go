package sessionhttp

import (
	"net/http"
	"net/url"
	"strings"
)

// route is one method of one path.
type route struct {
	method     string
	pattern    string // as in openapi.json
	serve      func(*exchange) error
	query      []string // its query parameters
	open       bool     // needs no key and no namespace
	reads      bool     // changes nothing, although its method is not GET
	body       bool     // takes a body
	ifMatch    bool     // takes If-Match
	idempotent bool     // takes Idempotency-Key
}

// writes reports whether the route changes data. Such a route refuses a
// read-only key.
func (r *route) writes() bool { return r.method != http.MethodGet && !r.reads }

// resource is a path with its routes by method.
type resource struct {
	pattern string
	allow   string // for the Allow header
	routes  map[string]*route
}

const (
	root         = "/v1/agents/"
	sessionsPath = root + "sessions"
	sessionPath  = sessionsPath + "/{session_id}"
	userPath     = root + "users/{user_id}"
)

var allRoutes = []*route{
	{method: "GET", pattern: "/healthz", serve: (*exchange).healthz, open: true},
	{method: "GET", pattern: "/readyz", serve: (*exchange).readyz, open: true},
	{method: "GET", pattern: "/openapi.json", serve: (*exchange).openAPI, open: true},
	{method: "POST", pattern: sessionsPath, serve: (*exchange).create, body: true},
	{
		method: "POST", pattern: sessionsPath + "/list", serve: (*exchange).list, reads: true, body: true,
		query: []string{"limit", "offset", "cursor", "include_total"},
	},
	{method: "GET", pattern: sessionsPath + "/watch", serve: (*exchange).watch},
	{method: "GET", pattern: sessionPath, serve: (*exchange).get, ifMatch: true},
	{method: "PATCH", pattern: sessionPath, serve: (*exchange).patch, body: true, ifMatch: true},
	{
		method: "DELETE", pattern: sessionPath, serve: (*exchange).remove, ifMatch: true,
		query: []string{"purge"},
	},
	{
		method: "GET", pattern: sessionPath + "/history", serve: (*exchange).history,
		query: []string{"limit", "offset"},
	},
	{
		method: "POST", pattern: sessionPath + "/messages", serve: (*exchange).append, body: true,
		idempotent: true,
	},
	{
		method: "POST", pattern: sessionPath + "/transition", serve: (*exchange).transition,
		body: true, ifMatch: true,
	},
	{method: "POST", pattern: sessionPath + "/fork", serve: (*exchange).fork, body: true},
	{method: "DELETE", pattern: userPath, serve: (*exchange).deleteUser},
}

var resources = byPattern(allRoutes)

func byPattern(routes []*route) map[string]*resource {
	m := map[string]*resource{}
	for _, r := range routes {
		res := m[r.pattern]
		if res == nil {
			res = &resource{pattern: r.pattern, routes: map[string]*route{}}
			m[r.pattern] = res
		}
		res.add(r.method, r)
		if r.method == http.MethodGet && !strings.HasSuffix(r.pattern, "/watch") {
			res.add(http.MethodHead, r)
		}
	}
	return m
}

func (r *resource) add(method string, to *route) {
	r.routes[method] = to
	if r.allow != "" {
		r.allow += ", "
	}
	r.allow += method
}

// place is a parsed path.
type place struct {
	*resource
	session, user string // unescaped
}

// find parses a path. It splits the path before it unescapes the segments, so
// that an id may hold a slash. If no route has the path, the resource is nil.
func find(method, escaped string) (p place, err error) {
	rest, ok := strings.CutPrefix(escaped, root)
	if !ok {
		return place{resource: resources[escaped]}, nil
	}
	collection, rest, deep := strings.Cut(rest, "/")
	id, verb, verbal := strings.Cut(rest, "/")
	var pattern string
	switch {
	case collection == "sessions" && !deep:
		return place{resource: resources[sessionsPath]}, nil
	case collection == "sessions" && rest == "list" && method == http.MethodPost,
		collection == "sessions" && rest == "watch" && (method == http.MethodGet || method == http.MethodHead):
		return place{resource: resources[sessionsPath+"/"+rest]}, nil
	case collection == "sessions" && verbal:
		pattern = sessionPath + "/" + verb
	case collection == "sessions":
		pattern = sessionPath
	case collection == "users" && !verbal:
		pattern = userPath
	}
	if p.resource = resources[pattern]; p.resource == nil || id == "" {
		return place{}, nil
	}
	if id, err = url.PathUnescape(id); err != nil {
		return place{}, err
	}
	if pattern == userPath {
		p.user = id
	} else {
		p.session = id
	}
	return p, nil
}
