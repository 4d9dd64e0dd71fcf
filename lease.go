package seshat

import (
	"context"
	"fmt"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// MaxLease is the longest that a lease lasts without being renewed.
const MaxLease = 24 * time.Hour

// Lease lets one runner at a time talk in a session. It guards the log: while
// it is in force, only appends that carry its Token (see [Turn]) succeed.
// Other writes do not look at it, so that an operator can always archive or
// end a session whose runner hangs.
type Lease struct {
	Owner     string    `json:"owner"`
	Token     uint64    `json:"token"`      // larger than any before, in this life of the session
	ExpiresAt time.Time `json:"expires_at"` // the first moment at which others may take it
}

// LeaseError says that a lease is in the way of a call, or was lost. It
// matches ErrLease.
type LeaseError struct {
	Token     uint64    // what the caller claimed; 0 = nothing
	Owner     string    // who has the lease; "" = nobody
	ExpiresAt time.Time // when it ends, if its owner does not renew it
}

func (e *LeaseError) Error() string {
	switch {
	case e.Owner == "":
		return fmt.Sprintf("lease lost: token %d is not valid; nobody holds the lease", e.Token)
	case e.Token == 0:
		return fmt.Sprintf("lease held by %s until %s", quoteName(e.Owner), e.ExpiresAt.Format(time.RFC3339))
	}
	return fmt.Sprintf("lease lost: token %d is not the newest; %s holds the lease until %s",
		e.Token, quoteName(e.Owner), e.ExpiresAt.Format(time.RFC3339))
}

// Is reports whether target is ErrLease.
func (e *LeaseError) Is(target error) bool { return target == ErrLease }

// AcquireLease takes the session's lease for ttl, of up to MaxLease, by the
// store's clock. It is free if nobody has it, if it has expired, or if owner
// has it already: a runner that restarts need not wait for itself. Each call
// gives a new token and so ends the one before, so owner has to name a runner,
// not a team of them.
//
// A token is good until another one is given, or its lease is released. The
// end of its time alone does not take it away: then others may acquire the
// lease, or append without one, and only when somebody does the token is lost.
// So nobody else has appended between two appends with the same token.
//
// A lease counts as a write of the session, and extends a sliding TTL, but not
// as activity. ErrLease: another has it; see [LeaseError]. ErrReadOnly,
// ErrNotFound, ErrInvalid.
func (t *Tenant) AcquireLease(ctx context.Context, id, owner string, ttl time.Duration) (Lease, error) {
	const op = "AcquireLease"
	if err := checkName("owner", owner).err(); err != nil {
		return Lease{}, t.wrapError(op, id, err)
	}
	return t.holdLease(ctx, op, id, ttl, func(l *lease, now int64) error {
		if l.Owner != owner && l.inForce(now) {
			return l.heldError(0)
		}
		l.Owner = owner
		l.Token++
		return nil
	})
}

// RenewLease makes the lease of a token that is still good last for ttl from
// now on. ErrLease: the token is lost; see [LeaseError]. ErrReadOnly,
// ErrNotFound, ErrInvalid.
func (t *Tenant) RenewLease(ctx context.Context, id string, token uint64, ttl time.Duration) (Lease, error) {
	return t.holdLease(ctx, "RenewLease", id, ttl, func(l *lease, _ int64) error {
		if !l.isCurrent(token) {
			return l.heldError(token)
		}
		return nil
	})
}

// holdLease changes the lease as take says, and makes it last for ttl.
func (t *Tenant) holdLease(ctx context.Context, op, id string, ttl time.Duration,
	take func(*lease, int64) error,
) (Lease, error) {
	if ttl <= 0 || ttl > MaxLease {
		return Lease{},
			t.wrapError(op, id, invalid("ttl", "is %v; more than 0 and at most %v is allowed", ttl, MaxLease))
	}
	s, err := t.writeSession(ctx, op, id, driver.Target{}, func(c *tenantWrite) error {
		s, err := c.requireWritable()
		if err != nil {
			return err
		}
		if err := take(&s.lease, c.view.Now); err != nil {
			return err
		}
		s.lease.Expires = rules.After(c.view.Now, rules.Millis(ttl))
		c.markWritten(noEvent)
		return nil
	})
	if err != nil {
		return Lease{}, err
	}
	return s.Lease(), nil
}

// ReleaseLease gives the lease back, so that others need not wait for its end.
// To release it again is a no-op. ErrLease: the token is not the newest; see
// [LeaseError]. ErrReadOnly, ErrNotFound, ErrInvalid.
func (t *Tenant) ReleaseLease(ctx context.Context, id string, token uint64) error {
	_, err := t.writeSession(ctx, "ReleaseLease", id, driver.Target{}, func(c *tenantWrite) error {
		s, err := c.requireWritable()
		switch {
		case err != nil:
			return err
		case token == 0 || token != s.lease.Token:
			return s.lease.heldError(token)
		case s.lease.Owner == "":
			return nil
		}
		s.lease.free()
		c.markWritten(noEvent)
		return nil
	})
	return err
}

// Lease returns the session's lease as it was when the session was read; no
// Owner means that nobody has it. Whether its time is over is for the caller
// to compare.
func (s *Session) Lease() Lease {
	if s.lease.Owner == "" {
		return Lease{}
	}
	return Lease{Owner: s.lease.Owner, Token: s.lease.Token, ExpiresAt: timeFromMillis(s.lease.Expires)}
}

// isCurrent reports whether token belongs to the newest lease, and that was
// neither released nor overtaken.
func (l *lease) isCurrent(token uint64) bool { return l.Owner != "" && token == l.Token }

func (l *lease) inForce(now int64) bool { return l.Owner != "" && l.Expires > now }

// free ends the lease. Its token stays the newest ever given.
func (l *lease) free() {
	l.Owner = ""
	l.Expires = 0
}

// admit refuses an append that a lease is in the way of. One without a token
// ends a lease whose time is over: its holder was overtaken.
func (l *lease) admit(token uint64, now int64) error {
	switch {
	case token == 0 && l.inForce(now), token != 0 && !l.isCurrent(token):
		return l.heldError(token)
	case token == 0:
		l.free()
	}
	return nil
}

func (l *lease) heldError(token uint64) error {
	return &LeaseError{Token: token, Owner: l.Owner, ExpiresAt: timeFromMillis(l.Expires)}
}
