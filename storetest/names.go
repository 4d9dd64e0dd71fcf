package storetest

import (
	"fmt"
	"strings"

	"github.com/seshatdb/seshat"
)

var names = []promise{
	{name: "illegal names are refused everywhere", test: illegalNames},
	{name: "legal names are kept byte for byte", test: legalNames},
	{name: "names that look equal are not", test: lookalikes},
}

// illegal are names that every call refuses, keyed by their fault. The empty
// name is legal if the name is optional.
var illegal = map[string]string{
	"NUL":             "a\x00b",
	"newline":         "a\nb",
	"tab":             "\t",
	"escape":          "\x1b[0m",
	"last of C0":      "a\x1f",
	"DEL":             "a\x7f",
	"first of C1":     "a\u0080",
	"NEL":             "a\u0085",
	"last of C1":      "a\u009f",
	"half a rune":     "a\xc3",
	"a lone byte":     "\xff",
	"overlong":        "\xc0\xaf",
	"a surrogate":     "\xed\xa0\x80",
	"past Unicode":    "\xf4\x90\x80\x80",
	"a byte too long": strings.Repeat("x", seshat.MaxNameBytes+1),
	"a rune too long": strings.Repeat("é", seshat.MaxNameBytes/2) + "é",
	"very long":       strings.Repeat("x", 1<<20),
}

// legal are names that every call accepts.
var legal = []string{
	"a", "ab", "A", " ", "  leading and trailing  ", "a/b", "/", "..", "../../etc/passwd", "a\\b", "a:b", "a%00b",
	"a*b?", "'; --", "ä", "a\u0308", "日本語", "שלום", "🙂", "\u200b", "\u2028", "\ufeff", "\ufffd", "\U0010ffff",
	"\u00a0", "\u00ad", "null", "0", strings.Repeat("x", seshat.MaxNameBytes),
	strings.Repeat("🙂", seshat.MaxNameBytes/4),
	strings.Repeat("\U0010ffff", seshat.MaxNameBytes/4),
}

// naming is an argument that is a name.
type naming struct {
	field    string // that the InvalidError names
	optional bool   // "" means absent
	use      func(*env, *seshat.Tenant, string) error
}

var namings = []naming{
	{"name", false, func(e *env, _ *seshat.Tenant, s string) error {
		return second(e.CreateTenant(e.ctx, seshat.Namespace{Name: s}))
	}},
	{"name", false, func(e *env, _ *seshat.Tenant, s string) error {
		return second(e.EnsureTenant(e.ctx, seshat.Namespace{Name: s}))
	}},
	{"name", false, func(e *env, _ *seshat.Tenant, s string) error {
		return second(e.Tenant(e.ctx, seshat.Namespace{Name: s}))
	}},
	{"name", false, func(e *env, t *seshat.Tenant, s string) error { return t.Rename(e.ctx, s) }},
	{"internal_id", true, func(e *env, _ *seshat.Tenant, s string) error {
		return second(e.CreateTenant(e.ctx, seshat.Namespace{Name: "fresh " + fmt.Sprint(len(s)), OrganizationID: s}))
	}},
	{"internal_id", true, func(e *env, _ *seshat.Tenant, s string) error {
		for _, err := range e.Namespaces(e.ctx, s) {
			return err
		}
		return nil
	}},
	{"session_id", true, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.Create(e.ctx, seshat.NewSession{ID: s}))
	}},
	{"session_id", false, func(e *env, t *seshat.Tenant, s string) error { return second(t.Get(e.ctx, s)) }},
	{"session_id", false, func(e *env, t *seshat.Tenant, s string) error { return second(t.Touch(e.ctx, s)) }},
	{"session_id", false, func(e *env, t *seshat.Tenant, s string) error { return second(t.Delete(e.ctx, s)) }},
	{"session_id", false, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.Transition(e.ctx, s, seshat.StatusIdle, seshat.TransitionOptions{}))
	}},
	{"session_id", false, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.Update(e.ctx, s, func(*seshat.Session) error { return nil }, seshat.UpdateOptions{}))
	}},
	{"user_id", true, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.Create(e.ctx, seshat.NewSession{UserID: s}))
	}},
	{"user_id", true, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.List(e.ctx, seshat.Query{UserID: s}))
	}},
	{"user_id", false, func(e *env, t *seshat.Tenant, s string) error { return second(t.DeleteUser(e.ctx, s)) }},
	{"labels", false, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.Create(e.ctx, seshat.NewSession{Labels: map[string]string{s: "v"}}))
	}},
	{"labels", false, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.Count(e.ctx, seshat.Query{Labels: map[string]string{s: "v"}}))
	}},
	{"labels.k", true, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.Create(e.ctx, seshat.NewSession{Labels: map[string]string{"k": s}}))
	}},
	{"agent_config.model", true, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.Create(e.ctx, seshat.NewSession{Agent: seshat.AgentConfig{Model: s}}))
	}},
	{"agent_config.available_tools", false, func(e *env, t *seshat.Tenant, s string) error {
		return second(t.Create(e.ctx, seshat.NewSession{Agent: seshat.AgentConfig{AvailableTools: []string{s}}}))
	}},
}

func illegalNames(e *env) {
	t := e.tenant("t")
	for _, n := range namings {
		for why, name := range illegal {
			if err := n.use(e, t, name); err == nil {
				e.Fatalf("%s: accepted (%s)", n.field, why)
			} else {
				e.isInvalid(err, n.field)
			}
		}
		if !n.optional {
			e.isInvalid(n.use(e, t, ""), n.field)
		}
	}
	equal(e, "sessions after refused calls", e.count(t, seshat.Query{}), 0)
	equal(e, "namespaces after refused calls", len(e.namespaces()), 1)
}

// legalNames uses each name for all arguments at once, and finds the session by
// each argument.
func legalNames(e *env) {
	for _, name := range legal {
		t, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: name, OrganizationID: name})
		e.must(err)
		found, err := e.Tenant(e.ctx, seshat.Namespace{Name: name, OrganizationID: name})
		e.must(err)
		equal(e, "namespace of "+name, found.ID(), t.ID())
		e.create(t, seshat.NewSession{ID: name, UserID: name, Labels: map[string]string{name: name}})
		s := e.get(t, name)
		equal(e, "id", s.ID, name)
		equal(e, "user", s.UserID, name)
		equal(e, "label", s.Labels[name], name)
		equal(e, "organization", s.OrganizationID, name)
		q := seshat.Query{UserID: name, Labels: map[string]string{name: name}}
		equal(e, "found by user and label", e.count(t, q), 1)
		ns, err := t.Namespace(e.ctx)
		e.must(err)
		equal(e, "name", ns.Name, name)
	}
}

// lookalikes are names that look alike but have different bytes. They name
// different sessions.
func lookalikes(e *env) {
	t := e.tenant("t")
	pairs := []string{"ä", "a\u0308", "a", "а", "A", "ﬀ", "ff", " a", "a ", "a\u200b", "K", "\u212a"}
	for i, id := range pairs {
		e.create(t, seshat.NewSession{ID: id, Name: fmt.Sprint(i)})
	}
	for i, id := range pairs {
		equal(e, "session "+id, e.get(t, id).Name, fmt.Sprint(i))
	}
}

// namespaces returns the namespaces of the default organization.
func (e *env) namespaces() (all []seshat.Namespace) {
	e.Helper()
	for n, err := range e.Namespaces(e.ctx, "") {
		e.must(err)
		all = append(all, n)
	}
	return all
}
