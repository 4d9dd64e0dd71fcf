package seshat

import (
	"context"
	"fmt"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// MaxLease is the longest ttl of [Tenant.AcquireLease] and [Tenant.RenewLease].
const MaxLease = 24 * time.Hour

// Lease lets one runner at a time append to a session. While it is in force,
// only appends with its Token succeed: see [Turn]. Other writes ignore it, so
// an operator can always archive or terminate a session whose runner hangs.
type Lease struct {
	Owner     string    `json:"owner"`      // the runner; "" = nobody holds the lease
	Token     uint64    `json:"token"`      // larger than every earlier token of the incarnation
	ExpiresAt time.Time `json:"expires_at"` // others may take the lease from this time on
}

// LeaseError reports that another lease blocks the call, or that the caller's
// lease was lost. It matches ErrLease.
type LeaseError struct {
	Token     uint64    // the caller's token; 0 = none
	Owner     string    // the holder of the lease; "" = nobody
	ExpiresAt time.Time // end of the lease, unless its owner renews it
}

// Error names the holder of the lease and its end.
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

// AcquireLease takes the session's lease for ttl, at most MaxLease, by the
// store's clock. The lease is free if nobody holds it, if it has expired, or if
// owner holds it already, so a runner that restarts need not wait for itself.
// Each call issues a new token and invalidates the one before: owner must name
// one runner, not a team of them.
//
// A token is valid until the store issues another one or the lease is released.
// If its lease expires, the token stays valid until another runner acquires the
// lease or appends without one. Therefore nobody else has appended between two
// appends with the same token.
//
// A lease is a write of the session: it extends a sliding TTL, but it is not
// activity.
//
// Errors: ErrLease if another owner holds the lease, see [LeaseError];
// ErrNotFound; ErrReadOnly; ErrInvalid.
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

// RenewLease makes the lease of a valid token last for ttl from now on.
//
// Errors: ErrLease if the token is not valid, see [LeaseError]; ErrNotFound;
// ErrReadOnly; ErrInvalid.
func (t *Tenant) RenewLease(ctx context.Context, id string, token uint64, ttl time.Duration) (Lease, error) {
	return t.holdLease(ctx, "RenewLease", id, ttl, func(l *lease, _ int64) error {
		if !l.isCurrent(token) {
			return l.heldError(token)
		}
		return nil
	})
}

// holdLease applies take to the lease and makes it last for ttl.
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

// ReleaseLease ends the lease, so that others need not wait for it to expire.
// Releasing it twice is a no-op.
//
// Errors: ErrLease if the token is not the newest, see [LeaseError];
// ErrNotFound; ErrReadOnly; ErrInvalid.
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

// Lease returns the session's lease as it was when the session was read. If
// nobody held it, Owner is empty. The caller compares ExpiresAt with the time.
func (s *Session) Lease() Lease {
	if s.lease.Owner == "" {
		return Lease{}
	}
	return Lease{Owner: s.lease.Owner, Token: s.lease.Token, ExpiresAt: timeFromMillis(s.lease.Expires)}
}

// isCurrent reports whether token is the newest and its lease was neither
// released nor overtaken.
func (l *lease) isCurrent(token uint64) bool { return l.Owner != "" && token == l.Token }

func (l *lease) inForce(now int64) bool { return l.Owner != "" && l.Expires > now }

// free ends the lease. Its token stays the newest.
func (l *lease) free() {
	l.Owner = ""
	l.Expires = 0
}

// admit returns a LeaseError if the lease blocks an append. An append without a
// token ends an expired lease, because it overtakes the holder.
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
