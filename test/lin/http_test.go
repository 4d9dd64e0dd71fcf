package lin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

// overHTTP calls a tenant through the HTTP handler, except Touch, which has no
// route. A PATCH changes the user memory, so overHTTP keeps the name there.
type overHTTP struct {
	*seshat.Tenant
	h http.Handler
}

// answer holds the fields that a response may have.
type answer struct {
	UserMemory map[string]string `json:"user_memory"`
	Status     any               `json:"status"` // a number in an error
	ExpiresAt  time.Time         `json:"expires_at"`
	Error      struct {
		Details struct {
			Reason string `json:"reason"`
		} `json:"details"`
	} `json:"error"`
}

// send makes a request. version becomes If-Match, unless it is 0.
func (t overHTTP) send(ctx context.Context, method, path, body string, version uint64) (*seshat.Session, error) {
	r := httptest.NewRequestWithContext(ctx, method, "/v1/agents/sessions"+path, strings.NewReader(body))
	r.Header.Set("X-Namespace", t.ID())
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if version != 0 {
		r.Header.Set("If-Match", fmt.Sprintf(`"%d"`, version))
	}
	w := httptest.NewRecorder()
	t.h.ServeHTTP(w, r)
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		return nil, fmt.Errorf("%w: status %d", err, w.Code)
	}
	if w.Code >= 300 {
		return nil, sentinel(w.Code, a.Error.Details.Reason)
	}
	return t.session(w.Header().Get("ETag"), a)
}

// sentinel returns the error of package seshat that a response stands for.
func sentinel(status int, reason string) error {
	byReason := map[string]error{
		"exists": seshat.ErrExists, "stale": seshat.ErrConflict, "busy": seshat.ErrConflict,
		"read_only": seshat.ErrReadOnly, "transition": seshat.ErrTransition,
	}
	byStatus := map[int]error{
		http.StatusNotFound: seshat.ErrNotFound, http.StatusPreconditionFailed: seshat.ErrConflict,
		http.StatusServiceUnavailable: seshat.ErrClosed,
	}
	if err := byReason[reason]; err != nil {
		return err
	}
	if err := byStatus[status]; err != nil {
		return err
	}
	return fmt.Errorf("status %d, reason %q", status, reason)
}

// session returns the session that the answer and its entity tag describe.
func (t overHTTP) session(tag string, a answer) (*seshat.Session, error) {
	s := &seshat.Session{Name: a.UserMemory["name"], ExpiresAt: a.ExpiresAt}
	if tag == "" {
		return s, nil
	}
	var numbers [5]int64
	var errs error
	for i, part := range strings.SplitN(strings.Trim(tag, `"`), ".", 5) {
		base := 10
		if i > 1 {
			base = 36
		}
		n, err := strconv.ParseInt(part, base, 64)
		numbers[i], errs = n, errors.Join(errs, err)
	}
	s.Version, s.LastSeq, s.MessageCount = uint64(numbers[0]), uint64(numbers[1]), uint64(numbers[4])
	s.UpdatedAt = time.UnixMilli(numbers[2] + numbers[3])
	if name, ok := a.Status.(string); ok {
		errs = errors.Join(errs, s.Status.UnmarshalText([]byte(name)))
	}
	return s, errs
}

func memoryOf(name string) string { return fmt.Sprintf(`{"user_memory":{"name":%q}`, name) }

func (t overHTTP) Create(ctx context.Context, n seshat.NewSession) (*seshat.Session, error) {
	return t.send(ctx, "POST", "", memoryOf(n.Name)+fmt.Sprintf(`,"session_id":%q,"agent_config":{}}`, n.ID), 0)
}

func (t overHTTP) Get(ctx context.Context, id string) (*seshat.Session, error) {
	return t.send(ctx, "GET", "/"+id, "", 0)
}

func (t overHTTP) Append(ctx context.Context, id string, messages ...seshat.Message) (*seshat.Session, error) {
	list := strings.Repeat(`,{"role":"user","content":"hello"}`, len(messages))[1:]
	return t.send(ctx, "POST", "/"+id+"/messages", `{"messages":[`+list+`]}`, 0)
}

func (t overHTTP) Touch(ctx context.Context, id string) (*seshat.Session, error) {
	s, err := t.Tenant.Touch(ctx, id)
	if err != nil {
		return nil, err
	}
	s.Name, _ = s.UserMemory.Map()["name"].(string)
	return s, nil
}

func (t overHTTP) Delete(ctx context.Context, id string) (seshat.EraseReport, error) {
	_, err := t.send(ctx, "DELETE", "/"+id+"?purge=true", "", 0)
	return seshat.EraseReport{}, err
}

// conditional makes an Update or a Transition. It gets the version separately,
// because options are opaque.
func (t overHTTP) conditional(ctx context.Context, in input) (*seshat.Session, error) {
	if in.kind == update {
		return t.send(ctx, "PATCH", "/"+in.id, memoryOf(in.name)+"}", in.version)
	}
	return t.send(ctx, "POST", "/"+in.id+"/transition", fmt.Sprintf(`{"status":%q}`, in.to), in.version)
}

// Promise: calls on one session are linearizable over HTTP too.
func TestLinearizableOverHTTP(t *testing.T) {
	for n := range *runs {
		p := plan(*seed+uint64(n), nil)
		open := inFile(t)
		var h http.Handler
		p.Open = func(o seshat.Options) (*seshat.Store, error) {
			s, err := open(o)
			if err != nil {
				return nil, err
			}
			h = sessionhttp.Handler(s,
				sessionhttp.Options{Authenticate: func(*http.Request) (sessionhttp.Grant, error) {
					return sessionhttp.Grant{OrganizationID: seshat.DefaultOrganization}, nil
				}})
			return s, nil
		}
		p.Wrap = func(t *seshat.Tenant) API { return overHTTP{t, h} }
		linearizable(t, p)
	}
}
