package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seshatdb/seshat"
)

const sessionsPath = "/v1/agents/sessions"

// remote is a namespace on a server, reached by the HTTP API.
type remote struct {
	c      *client
	header http.Header // sent with every request
}

func newRemote(t *target) (*remote, error) {
	c, err := newClient(t)
	if err != nil {
		return nil, err
	}
	if t.ns == "" {
		return nil, usagef("no namespace: a server needs --namespace (or $SESHAT_NAMESPACE)")
	}
	h := http.Header{"X-Namespace": {t.ns}, "User-Agent": {"seshat/" + readVersion().Version}}
	secret, err := t.secret()
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(t.url, unixPrefix):
		h.Set(organizationHeader, t.org)
	case t.org != "":
		return nil, usagef("--org: not allowed with --key, which belongs to one organization")
	case secret != "":
		h.Set("Authorization", "Bearer "+secret)
	}
	return &remote{c: c, header: h}, nil
}

// Close closes the connection.
func (r *remote) Close() error { return r.c.Close() }

// request is one call of the HTTP API.
type request struct {
	method, path string
	query        url.Values
	body         any // nil for none
	header       map[string]string
}

func (r *remote) do(ctx context.Context, q request) (*http.Response, error) {
	var body io.Reader
	if q.body != nil {
		b, err := json.Marshal(q.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	u := r.c.base + q.path
	if len(q.query) > 0 {
		u += "?" + q.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, q.method, u, body)
	if err != nil {
		return nil, err
	}
	req.Header = r.header.Clone()
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, v := range q.header {
		req.Header.Set(name, v)
	}
	return r.c.http.Do(req)
}

// fetch makes a call and decodes its answer into out.
func (r *remote) fetch(ctx context.Context, q request, out any) (http.Header, error) {
	ctx, cancel := r.c.bounded(ctx)
	defer cancel()
	res, err := r.do(ctx, q)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return nil, readProblem(res)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return nil, fmt.Errorf("%s: the answer is not JSON of this API: %w", r.c.base, err)
	}
	return res.Header, nil
}

// sessionPath returns the path of a session. It escapes the ids watch and list,
// which are also routes, and the ids "." and "..", which a client may resolve.
func sessionPath(id string) string {
	escaped := url.PathEscape(id)
	switch id {
	case "watch", "list", ".", "..":
		escaped = fmt.Sprintf("%%%02X", id[0]) + strings.ReplaceAll(id[1:], ".", "%2E")
	}
	return sessionsPath + "/" + escaped
}

// Get returns a session. Its version and last_seq come from the entity tag.
func (r *remote) Get(ctx context.Context, id string) (s session, err error) {
	h, err := r.fetch(ctx, request{method: http.MethodGet, path: sessionPath(id)}, &s)
	if err != nil {
		return s, err
	}
	parts := strings.SplitN(strings.Trim(h.Get("ETag"), `"`), ".", 3)
	if len(parts) == 3 {
		// If the tag has another form, the version is 0 and is not shown.
		s.v.Version, _ = strconv.ParseUint(parts[0], 10, 64)
		s.v.LastSeq, _ = strconv.ParseUint(parts[1], 10, 64)
	}
	return s, nil
}

// Transition changes the status of a session.
func (r *remote) Transition(ctx context.Context, id string, m move) (done moved, err error) {
	q := request{
		method: http.MethodPost, path: sessionPath(id) + "/transition",
		body: map[string]any{"status": m.To, "reason": textOrNil(m.Reason), "actor": textOrNil(m.Actor)},
	}
	if m.Version != 0 {
		q.header = map[string]string{"If-Match": `"` + strconv.FormatUint(m.Version, 10) + `"`}
	}
	_, err = r.fetch(ctx, q, &done)
	return done, err
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Erase removes a session with its log and state.
func (r *remote) Erase(ctx context.Context, id string) (seshat.EraseReport, error) {
	return r.erase(ctx, request{method: http.MethodDelete, path: sessionPath(id), query: url.Values{"purge": {"true"}}})
}

// EraseUser removes all sessions and state of a user.
func (r *remote) EraseUser(ctx context.Context, user string) (seshat.EraseReport, error) {
	return r.erase(ctx, request{method: http.MethodDelete, path: "/v1/agents/users/" + url.PathEscape(user)})
}

func (r *remote) erase(ctx context.Context, q request) (seshat.EraseReport, error) {
	var out struct{ Erased seshat.EraseReport }
	_, err := r.fetch(ctx, q, &out)
	return out.Erased, err
}
