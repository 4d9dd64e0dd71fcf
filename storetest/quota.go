package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/seshatdb/seshat"
)

var quotas = []promise{
	{name: "a full namespace takes no session", test: fullNamespace},
	{name: "what has expired does not count", test: expiredDoesNotCount},
	{name: "what has been deleted does not count", test: deletedDoesNotCount},
	{name: "messages and bytes are bounded", test: boundedLogs},
	{name: "a quota is not passed in a race", test: quotaRace},
	{name: "a quota is not passed by the first of a namespace", test: quotaOfTheFirst},
	{name: "a lowered quota keeps what is there", test: loweredQuota},
	{name: "a full namespace can still be put in order", test: orderInAFullNamespace},
	{name: "a quota set elsewhere binds an old handle", test: quotaOfOldHandle},
}

// createLimited returns a namespace with these quotas.
func (e *env) createLimited(q seshat.NamespaceQuotas) *seshat.Tenant {
	e.Helper()
	t, err := e.CreateTenant(e.ctx, seshat.Namespace{Name: "t", Quotas: q})
	e.must(err)
	return t
}

// isQuotaError fails the test unless err is a QuotaError with these values.
func (e *env) isQuotaError(err error, quota string, limit, use uint64) {
	e.Helper()
	var q *seshat.QuotaError
	if !errors.Is(err, seshat.ErrQuota) || !errors.As(err, &q) {
		e.Fatalf("got error %v, want a QuotaError of %s", err, quota)
	}
	if q.Quota != quota || q.Limit != limit || q.Use != use || q.RetryAfter != 0 {
		e.Fatalf("got %+v, want %s of %d, in use %d", q, quota, limit, use)
	}
}

func fullNamespace(e *env) {
	t := e.createLimited(seshat.NamespaceQuotas{MaxSessions: 2})
	e.create(t, seshat.NewSession{ID: "a"})
	e.create(t, seshat.NewSession{ID: "b"})
	_, err := t.Create(e.ctx, seshat.NewSession{ID: "c"})
	e.isQuotaError(err, "namespace.max_sessions", 2, 2)
	_, _, err = t.Ensure(e.ctx, seshat.NewSession{ID: "c"})
	e.isQuotaError(err, "namespace.max_sessions", 2, 2)
	e.isGone(t, "c")
	// Calls that create no session succeed.
	_, created, err := t.Ensure(e.ctx, seshat.NewSession{ID: "a"})
	e.must(err)
	equal(e, "created", created, false)
	e.update(t, "a", func(s *seshat.Session) { s.Name = "x" })
	e.move(t, "a", seshat.StatusTerminated)
	_, err = t.Create(e.ctx, seshat.NewSession{ID: "c"})
	e.isQuotaError(err, "namespace.max_sessions", 2, 2)
}

func expiredDoesNotCount(e *env) {
	t := e.createLimited(seshat.NamespaceQuotas{MaxSessions: 2, MaxMessages: 2, MaxBytes: 2000})
	for i := range 6 {
		id := fmt.Sprint(i)
		n := seshat.NewSession{ID: id, Lifecycle: seshat.Lifecycle{TTL: hour, Expiry: seshat.ExpiryAbsolute}}
		e.create(t, n)
		e.must(second(t.Append(e.ctx, id, seshat.Message{Role: seshat.RoleUser, Content: "hello"})))
		e.clock.Advance(30 * minute)
	}
	_, err := t.Create(e.ctx, seshat.NewSession{ID: "0"})
	e.must(err)
	_, err = t.Create(e.ctx, seshat.NewSession{ID: "1"})
	e.isQuotaError(err, "namespace.max_sessions", 2, 2)
}

func deletedDoesNotCount(e *env) {
	t := e.createLimited(seshat.NamespaceQuotas{MaxSessions: 1, MaxMessages: 1})
	for range 3 {
		e.create(t, seshat.NewSession{ID: "s", UserID: "mia"})
		e.must(second(t.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser, Content: "hello"})))
		e.must(second(t.Delete(e.ctx, "s")))
		e.create(t, seshat.NewSession{ID: "s", UserID: "mia"})
		e.must(second(t.DeleteUser(e.ctx, "mia")))
	}
}

func boundedLogs(e *env) {
	t := e.createLimited(seshat.NamespaceQuotas{MaxMessages: 2, MaxBytes: 100_000})
	e.create(t, seshat.NewSession{ID: "a"})
	e.create(t, seshat.NewSession{ID: "b"})
	m := seshat.Message{Role: seshat.RoleUser, Content: "hello"}
	e.must(second(t.Append(e.ctx, "a", m)))
	_, err := t.Append(e.ctx, "b", m, m)
	e.isQuotaError(err, "namespace.max_messages", 2, 1)
	equal(e, "messages", e.get(t, "b").MessageCount, 0)
	e.must(second(t.Append(e.ctx, "b", m)))
	_, err = t.Append(e.ctx, "a", m)
	e.isQuotaError(err, "namespace.max_messages", 2, 2)

	big := map[string]any{"k": strings.Repeat("x", 60_000)}
	e.update(t, "a", func(s *seshat.Session) { s.Metadata = seshat.NewDocument(big) })
	before := e.get(t, "b")
	for name, call := range map[string]func() error{
		"update": func() error {
			return second(t.Update(e.ctx, "b", func(s *seshat.Session) error {
				s.Metadata = seshat.NewDocument(big)
				return nil
			}, seshat.UpdateOptions{}))
		},
		"create": func() error { return second(t.Create(e.ctx, seshat.NewSession{ID: "c", Metadata: big})) },
	} {
		var q *seshat.QuotaError
		if err := call(); !errors.As(err, &q) || q.Quota != "namespace.max_bytes" || q.Limit != 100_000 {
			e.Fatalf("%s: got error %v", name, err)
		}
	}
	equal(e, "version", e.get(t, "b").Version, before.Version)
	e.update(t, "a", func(s *seshat.Session) { s.Metadata = seshat.NewDocument(nil) }) // shrinking is always allowed
	e.update(t, "b", func(s *seshat.Session) { s.Metadata = seshat.NewDocument(big) })
}

func quotaRace(e *env) {
	t := e.createLimited(seshat.NamespaceQuotas{MaxSessions: 20})
	var made atomic.Int64
	race(func(int) {
		for range 10 {
			switch _, err := t.Create(e.ctx, seshat.NewSession{}); {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, seshat.ErrQuota):
				e.Error(err)
			}
		}
	})
	equal(e, "made", made.Load(), 20)
	equal(e, "sessions", e.count(t, seshat.Query{}), 20)
}

// quotaOfTheFirst races for the first session of a namespace, before any
// counter exists.
func quotaOfTheFirst(e *env) {
	for i := range 10 {
		t, err := e.CreateTenant(e.ctx, seshat.Namespace{
			Name:   fmt.Sprint(i),
			Quotas: seshat.NamespaceQuotas{MaxSessions: 1},
		})
		e.must(err)
		race(func(int) {
			if _, err := t.Create(e.ctx, seshat.NewSession{}); err != nil && !errors.Is(err, seshat.ErrQuota) {
				e.Error(err)
			}
		})
		equal(e, "sessions", e.count(t, seshat.Query{}), 1)
	}
}

func loweredQuota(e *env) {
	t := e.createLimited(seshat.NamespaceQuotas{})
	for range 5 {
		e.create(t, seshat.NewSession{})
	}
	e.must(t.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxSessions: 2}))
	equal(e, "sessions", e.count(t, seshat.Query{}), 5)
	_, err := t.Create(e.ctx, seshat.NewSession{})
	e.isQuotaError(err, "namespace.max_sessions", 2, 5)
	e.must(t.SetQuotas(e.ctx, seshat.NamespaceQuotas{}))
	e.create(t, seshat.NewSession{})
}

func quotaOfOldHandle(e *env) {
	old := e.createLimited(seshat.NamespaceQuotas{})
	fresh := e.tenant("t")
	e.must(fresh.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxSessions: 1}))
	e.create(old, seshat.NewSession{})
	_, err := old.Create(e.ctx, seshat.NewSession{})
	e.isQuotaError(err, "namespace.max_sessions", 1, 1)
}

// orderInAFullNamespace: quotas of bytes do not apply to writes that add no
// content. Otherwise a full namespace could not even end its sessions.
func orderInAFullNamespace(e *env) {
	t := e.createLimited(seshat.NamespaceQuotas{})
	e.create(t, seshat.NewSession{ID: "s"})
	u, err := t.Usage(e.ctx)
	e.must(err)
	e.must(t.SetQuotas(e.ctx, seshat.NamespaceQuotas{MaxBytes: u.Bytes}))
	_, err = t.Append(e.ctx, "s", seshat.Message{Role: seshat.RoleUser})
	e.isQuotaError(err, "namespace.max_bytes", u.Bytes, u.Bytes)
	_, err = t.AcquireLease(e.ctx, "s", "a runner with a long name", hour)
	e.must(err)
	e.must(second(t.Touch(e.ctx, "s")))
	e.must(second(t.Transition(e.ctx, "s", seshat.StatusTerminated,
		seshat.TransitionOptions{Reason: "a long reason", Actor: "somebody"})))
}
