package seshat

import (
	"context"
	"fmt"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// Status is the stage of a session's life.
type Status uint8

// The statuses of a session, and the allowed transitions:
//
//	active     → idle, archived, terminated
//	idle       → active (also by a message), archived, terminated
//	archived   → active, terminated; read-only
//	terminated → nothing; read-only and final
const (
	StatusActive     = Status(rules.Active)
	StatusIdle       = Status(rules.Idle)
	StatusArchived   = Status(rules.Archived)
	StatusTerminated = Status(rules.Terminated)
)

// statusNames are the names of the statuses, each at its number.
var statusNames = rules.Names()

// Statuses returns every status that a session can have, by number.
func Statuses() []Status { return fromRules(rules.Statuses()) }

func fromRules(statuses []rules.Status) []Status {
	out := make([]Status, len(statuses))
	for i, s := range statuses {
		out[i] = Status(s)
	}
	return out
}

// String returns the status's name, as in the table at [StatusActive].
func (s Status) String() string { return enumName(statusNames, int(s), "status") }

// MarshalText returns the status's name.
//
// Errors: ErrInvalid if there is no such status.
func (s Status) MarshalText() ([]byte, error) {
	if e := s.check(); e != nil {
		return nil, e.err()
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the status's name.
//
// Errors: ErrInvalid if there is no such status.
func (s *Status) UnmarshalText(text []byte) error {
	i, err := parseEnum(statusNames, string(text), "status")
	*s = Status(i)
	return err
}

func (s Status) check() *fieldError {
	if !rules.Status(s).Valid() {
		return refuseEnum("status", statusNames)
	}
	return nil
}

// Transition describes the last transition of a session.
type Transition struct {
	At     time.Time `json:"at"`               // UTC with millisecond precision
	Reason string    `json:"reason,omitempty"` // at most MaxReasonBytes
	Actor  string    `json:"actor,omitempty"`  // the requester; "seshat" = the store, at a deadline
}

// sweepActor is the actor of transitions at a deadline.
const sweepActor = "seshat"

// MaxReasonBytes is the length of the longest reason of a transition.
const MaxReasonBytes = 1024

func (m *Transition) check() *fieldError {
	if len(m.Reason) > MaxReasonBytes {
		return refuse("reason", "has %d bytes; at most %d are allowed", len(m.Reason), MaxReasonBytes)
	}
	if e := checkText("reason", m.Reason); e != nil {
		return e
	}
	return checkOptional("actor", m.Actor)
}

// TransitionOptions are the condition of a transition, and the reason and actor
// that Session.LastTransition keeps. The zero TransitionOptions has none.
type TransitionOptions struct {
	// IfVersion is the version that the session must have. Otherwise the
	// transition fails with a [ConflictError] and changes nothing. 0 = any
	// version: the first version of a session is 1.
	IfVersion uint64

	Reason string // at most MaxReasonBytes
	Actor  string // the requester of the transition
}

// Transition moves the session to another status, if the table at
// [StatusActive] allows it. A transition to the current status is a no-op,
// which stores no reason and no actor.
//
// Errors: ErrTransition if the table does not allow it, see [TransitionError];
// ErrConflict; ErrNotFound; ErrInvalid.
func (t *Tenant) Transition(ctx context.Context, id string, to Status, o TransitionOptions) (*Session, error) {
	const op = "Transition"
	if err := to.check().err(); err != nil {
		return nil, t.wrapError(op, id, err)
	}
	asked := Transition{Reason: o.Reason, Actor: o.Actor}
	if err := asked.check().err(); err != nil {
		return nil, t.wrapError(op, id, err)
	}
	return t.writeSession(ctx, op, id, driver.Target{}, func(c *tenantWrite) error {
		s, err := c.requireLive()
		if err != nil {
			return err
		}
		if o.IfVersion != 0 && s.Version != o.IfVersion {
			return &ConflictError{Have: o.IfVersion, Stored: s.Version}
		}
		from := Status(s.timeline.Status)
		if from == to {
			return nil
		}
		if !rules.CanMove(rules.Status(from), rules.Status(to)) {
			return &TransitionError{From: from, To: to, Allowed: fromRules(rules.Allowed(rules.Status(from)))}
		}
		s.Version++
		s.timeline.SetStatus(rules.Status(to), c.view.Now)
		s.LastTransition = Transition{At: timeFromMillis(c.view.Now), Reason: o.Reason, Actor: o.Actor}
		c.markWritten(eventTransitioned)
		return nil
	})
}

// TransitionError reports a transition that the table at [StatusActive] does
// not allow. It matches ErrTransition.
type TransitionError struct {
	From    Status   // the current status
	To      Status   // the requested status
	Allowed []Status // the statuses that From allows
}

// Error names the transition and the allowed statuses.
func (e *TransitionError) Error() string {
	return fmt.Sprintf("illegal transition from %v to %v; allowed: %v", e.From, e.To, e.Allowed)
}

// Is reports whether target is ErrTransition.
func (e *TransitionError) Is(target error) bool { return target == ErrTransition }

// readOnlyError names the status that refused a write. It matches ErrReadOnly.
type readOnlyError struct{ status Status }

func (e readOnlyError) Error() string {
	return "session is " + e.status.String() + " and read-only"
}

func (e readOnlyError) Is(target error) bool { return target == ErrReadOnly }
