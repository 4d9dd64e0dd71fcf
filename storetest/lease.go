package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/seshatdb/seshat"
)

var leases = []promise{
	{name: "one holder until the exact end", test: leaseExclusive},
	{name: "tokens only ever increase", test: leaseTokens},
	{name: "append needs the newest token", test: leaseFences},
	{name: "a token outlives its time until overtaken", test: leaseOvertaken},
	{name: "renew is a heartbeat", test: leaseRenew},
	{name: "release frees at once", test: leaseRelease},
	{name: "repeated turn needs no lease", test: leaseRepeated},
	{name: "guards appends and nothing else", test: leaseGuards},
	{name: "archived and terminated have none to give", test: leaseReadOnly},
	{name: "is a write but no activity", test: leaseIsAWrite},
	{name: "arguments are checked", test: leaseArguments},
	{name: "of many runners one wins", test: leaseRaces},
	{name: "survives reopening", test: leaseReopened},
}

func (e *env) acquire(t *seshat.Tenant, id, owner string) seshat.Lease {
	e.Helper()
	l, err := t.AcquireLease(e.ctx, id, owner, minute)
	e.must(err)
	equal(e, "owner", l.Owner, owner)
	return l
}

// isLeaseError fails the test unless err is a LeaseError that names the holder.
// A nil holder means nobody.
func (e *env) isLeaseError(err error, holder *seshat.Lease) {
	e.Helper()
	var l *seshat.LeaseError
	if !errors.As(err, &l) || !errors.Is(err, seshat.ErrLease) {
		e.Fatalf("got error %v, want a LeaseError", err)
	}
	if holder == nil {
		holder = &seshat.Lease{}
	}
	if l.Owner != holder.Owner || !l.ExpiresAt.Equal(holder.ExpiresAt) {
		e.Fatalf("got %q until %v, want %q until %v", l.Owner, l.ExpiresAt, holder.Owner, holder.ExpiresAt)
	}
}

// say appends a message with a token.
func (e *env) say(t *seshat.Tenant, id string, token uint64) error {
	return second(t.AppendTurn(e.ctx, id, seshat.Turn{Messages: says("hi"), Lease: token}))
}

func leaseExclusive(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	equal(e, "lease of a new session", s.Lease(), seshat.Lease{})
	l := e.acquire(t, s.ID, "one")
	equal(e, "expires_at", l.ExpiresAt, e.clock.Now().Add(minute))
	equal(e, "lease", e.get(t, s.ID).Lease(), l)
	e.clock.Advance(minute - ms)
	e.isLeaseError(second(t.AcquireLease(e.ctx, s.ID, "two", minute)), &l)
	e.isLeaseError(e.say(t, s.ID, 0), &l)
	equal(e, "lease", e.get(t, s.ID).Lease(), l)
	e.clock.Advance(ms)
	e.acquire(t, s.ID, "two")
	other := e.create(t, seshat.NewSession{})
	e.acquire(t, other.ID, "one") // each session has its own lease
}

func leaseTokens(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{ID: "x"})
	var last uint64
	next := func(owner string) {
		e.Helper()
		l := e.acquire(t, s.ID, owner)
		if l.Token <= last {
			e.Fatalf("token %d after %d", l.Token, last)
		}
		last = l.Token
	}
	next("one")
	next("one") // the owner again
	e.must(t.ReleaseLease(e.ctx, s.ID, last))
	next("one")
	e.clock.Advance(minute)
	next("two")
	e.clock.Advance(minute)
	e.must(e.say(t, s.ID, 0)) // overtakes the expired lease
	next("two")
	e.move(t, s.ID, seshat.StatusArchived)
	e.move(t, s.ID, seshat.StatusActive)
	next("two")
}

func leaseFences(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	e.isLeaseError(e.say(t, s.ID, 1), nil) // no lease was ever acquired
	first := e.acquire(t, s.ID, "one")
	e.must(e.say(t, s.ID, first.Token))
	e.isLeaseError(e.say(t, s.ID, first.Token+1), &first)
	newer := e.acquire(t, s.ID, "one") // the same runner after a restart
	e.isLeaseError(e.say(t, s.ID, first.Token), &newer)
	e.isLeaseError(second(t.RenewLease(e.ctx, s.ID, first.Token, minute)), &newer)
	e.isLeaseError(t.ReleaseLease(e.ctx, s.ID, first.Token), &newer)
	e.must(e.say(t, s.ID, newer.Token))
	got := e.get(t, s.ID)
	equal(e, "messages", got.MessageCount, 2)
	equal(e, "lease", got.Lease(), newer)
}

func leaseOvertaken(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	l := e.acquire(t, s.ID, "one")
	e.clock.Advance(hour)
	e.must(e.say(t, s.ID, l.Token)) // nobody acquired it
	e.must(e.say(t, s.ID, 0))       // a writer without a token came
	e.isLeaseError(e.say(t, s.ID, l.Token), nil)
	e.isLeaseError(second(t.RenewLease(e.ctx, s.ID, l.Token, minute)), nil)
	equal(e, "lease", e.get(t, s.ID).Lease(), seshat.Lease{})
	equal(e, "messages", e.get(t, s.ID).MessageCount, 2)
}

func leaseRenew(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	l := e.acquire(t, s.ID, "one")
	for range 3 {
		e.clock.Advance(minute - ms)
		r, err := t.RenewLease(e.ctx, s.ID, l.Token, minute)
		e.must(err)
		equal(e, "renewed", r, seshat.Lease{Owner: "one", Token: l.Token, ExpiresAt: e.clock.Now().Add(minute)})
		l = r
	}
	e.isLeaseError(second(t.AcquireLease(e.ctx, s.ID, "two", minute)), &l)
	e.clock.Advance(hour) // late, but nobody acquired it
	e.must(second(t.RenewLease(e.ctx, s.ID, l.Token, minute)))
	e.clock.Advance(minute)
	two := e.acquire(t, s.ID, "two")
	e.isLeaseError(second(t.RenewLease(e.ctx, s.ID, l.Token, minute)), &two)
}

func leaseRelease(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	e.isLeaseError(t.ReleaseLease(e.ctx, s.ID, 0), nil)
	e.isLeaseError(t.ReleaseLease(e.ctx, s.ID, 1), nil)
	l := e.acquire(t, s.ID, "one")
	e.isLeaseError(t.ReleaseLease(e.ctx, s.ID, 0), &l)
	e.must(t.ReleaseLease(e.ctx, s.ID, l.Token))
	e.must(t.ReleaseLease(e.ctx, s.ID, l.Token)) // a retry
	e.isLeaseError(e.say(t, s.ID, l.Token), nil)
	e.isLeaseError(second(t.RenewLease(e.ctx, s.ID, l.Token, minute)), nil)
	e.must(e.say(t, s.ID, 0))
	two := e.acquire(t, s.ID, "two")
	e.isLeaseError(t.ReleaseLease(e.ctx, s.ID, l.Token), &two)
}

func leaseRepeated(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	l := e.acquire(t, s.ID, "one")
	turn := seshat.Turn{Messages: []seshat.Message{{ID: "m", Role: seshat.RoleUser, Content: "hi"}}, Lease: l.Token}
	e.turn(t, s.ID, turn)
	e.acquire(t, s.ID, "one")
	if a := e.turn(t, s.ID, turn); !a.Repeated {
		e.Fatal("the turn was not known")
	}
	equal(e, "messages", e.get(t, s.ID).MessageCount, 1)
}

func leaseGuards(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	l := e.acquire(t, s.ID, "one")
	e.update(t, s.ID, func(s *seshat.Session) { s.Name = "n" })
	e.must(second(t.Touch(e.ctx, s.ID)))
	e.merge(t, seshat.SessionScope(s.ID), kv{"k": 1})
	e.move(t, s.ID, seshat.StatusIdle)
	e.must(e.say(t, s.ID, l.Token))
	equal(e, "lease", e.get(t, s.ID).Lease(), l)
	e.move(t, s.ID, seshat.StatusTerminated)
	e.must(second(t.Delete(e.ctx, s.ID)))
	e.isError(e.say(t, s.ID, l.Token), seshat.ErrNotFound)
	e.isError(second(t.RenewLease(e.ctx, s.ID, l.Token, minute)), seshat.ErrNotFound)
	again := e.create(t, seshat.NewSession{ID: s.ID})
	equal(e, "lease of another life", again.Lease(), seshat.Lease{})
	e.isLeaseError(e.say(t, s.ID, l.Token), nil)
}

func leaseReadOnly(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	l := e.acquire(t, s.ID, "one")
	for _, status := range []seshat.Status{seshat.StatusArchived, seshat.StatusTerminated} {
		e.move(t, s.ID, status)
		e.isError(second(t.AcquireLease(e.ctx, s.ID, "one", minute)), seshat.ErrReadOnly)
		e.isError(second(t.RenewLease(e.ctx, s.ID, l.Token, minute)), seshat.ErrReadOnly)
		e.isError(t.ReleaseLease(e.ctx, s.ID, l.Token), seshat.ErrReadOnly)
		equal(e, "lease", e.get(t, s.ID).Lease(), l)
	}
}

func leaseIsAWrite(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: hour}})
	e.clock.Advance(minute)
	l := e.acquire(t, s.ID, "one")
	got := e.get(t, s.ID)
	equal(e, "expires_at", got.ExpiresAt, s.ExpiresAt.Add(minute))
	equal(e, "updated_at", got.UpdatedAt, s.UpdatedAt.Add(minute))
	equal(e, "last_activity_at", got.LastActivityAt, s.LastActivityAt)
	equal(e, "version", got.Version, s.Version)
	e.isLeaseError(second(t.AcquireLease(e.ctx, s.ID, "two", minute)), &l)
	e.clock.Advance(59 * minute)
	e.must(second(t.RenewLease(e.ctx, s.ID, l.Token, minute)))
	e.clock.Advance(59 * minute)
	e.get(t, s.ID)
}

func leaseArguments(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	e.isInvalid(second(t.AcquireLease(e.ctx, s.ID, "", minute)), "owner")
	e.isInvalid(second(t.AcquireLease(e.ctx, s.ID, strings.Repeat("x", seshat.MaxNameBytes+1), minute)), "owner")
	e.isInvalid(second(t.AcquireLease(e.ctx, s.ID, "one", 0)), "ttl")
	e.isInvalid(second(t.AcquireLease(e.ctx, s.ID, "one", -ms)), "ttl")
	e.isInvalid(second(t.AcquireLease(e.ctx, s.ID, "one", seshat.MaxLease+1)), "ttl")
	e.isInvalid(second(t.RenewLease(e.ctx, s.ID, 1, 0)), "ttl")
	e.isError(second(t.AcquireLease(e.ctx, "none", "one", minute)), seshat.ErrNotFound)
	e.isError(t.ReleaseLease(e.ctx, "none", 1), seshat.ErrNotFound)
	equal(e, "lease", e.get(t, s.ID).Lease(), seshat.Lease{})
	l, err := t.AcquireLease(e.ctx, s.ID, "one", 1) // one nanosecond, rounded up
	e.must(err)
	equal(e, "expires_at", l.ExpiresAt, e.clock.Now().Add(ms))
	e.must(second(t.AcquireLease(e.ctx, s.ID, "one", seshat.MaxLease)))
}

// leaseRaces lets runners compete for a session. Time stands still, so a lease
// ends only when it is released, and the appends of one lease are consecutive.
func leaseRaces(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	const runners, turns, each = 6, 4, 3
	var wg sync.WaitGroup
	for r := range runners {
		wg.Go(func() {
			for done := 0; done < turns; {
				l, err := t.AcquireLease(e.ctx, s.ID, fmt.Sprint(r), minute)
				if errors.Is(err, seshat.ErrLease) {
					continue
				}
				for i := 0; i < each && err == nil; i++ {
					m := seshat.Message{Role: seshat.RoleUser, Content: fmt.Sprint(l.Token, "/", i)}
					_, err = t.AppendTurn(e.ctx, s.ID, seshat.Turn{Messages: []seshat.Message{m}, Lease: l.Token})
				}
				if err == nil {
					err = t.ReleaseLease(e.ctx, s.ID, l.Token)
				}
				if err != nil {
					e.Error(err)
				}
				done++
			}
		})
	}
	wg.Wait()
	page, err := t.History(e.ctx, s.ID, seshat.HistoryQuery{Last: runners * turns * each})
	e.must(err)
	equal(e, "messages", len(page.Messages), runners*turns*each)
	for i, m := range page.Messages {
		equal(e, "message", m.Content, fmt.Sprint(i/each+1, "/", i%each))
	}
}

func leaseReopened(e *env) {
	t := e.tenant("a")
	s := e.create(t, seshat.NewSession{})
	l := e.acquire(t, s.ID, "one")
	e.reopen()
	t = e.tenant("a")
	e.isLeaseError(second(t.AcquireLease(e.ctx, s.ID, "two", minute)), &l)
	e.must(e.say(t, s.ID, l.Token))
	e.clock.Advance(minute)
	if two := e.acquire(t, s.ID, "two"); two.Token <= l.Token {
		e.Fatalf("token %d after %d", two.Token, l.Token)
	}
}
