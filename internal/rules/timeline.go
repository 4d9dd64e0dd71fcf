package rules

import (
	"math"
	"time"
)

// Never is the time of a deadline that does not come, and the duration without
// an end.
const Never int64 = math.MaxInt64

// Lifecycle is a session's resolved lifecycle. Its durations are in
// milliseconds, or Never.
type Lifecycle struct {
	TTL          int64 // from creation, or from the last write if Sliding
	Sliding      bool  // the TTL counts from the last write
	MaxLifetime  int64 // from creation, even if writes extend the session
	IdleAfter    int64 // without activity, until the session is idle
	ArchiveAfter int64 // in status idle, until the session is archived
	Retention    int64 // from termination to the end of the session
}

// Timeline holds the times of a session and the status that follows from them.
type Timeline struct {
	Lifecycle  Lifecycle // of the session, resolved
	Status     Status    // as of the last ApplyDue or SetStatus
	StatusAt   int64     // time of the last change of Status
	Created    int64     // time of creation
	Written    int64     // last write; a sliding TTL counts from here
	Active     int64     // last activity; idling counts from here
	Terminated int64     // time of termination, 0 = none
	MaxAge     int64     // quota of the session's duration, or Never
	Expires    int64     // first moment at which the session no longer exists
}

// Millis rounds a duration up to milliseconds. A duration that is not positive
// becomes Never.
func Millis(d time.Duration) int64 {
	if d <= 0 {
		return Never
	}
	ms := d.Milliseconds()
	if d%time.Millisecond != 0 {
		ms++
	}
	return ms
}

// Duration is the inverse of Millis, except for the rounding. Never becomes a
// negative duration.
func Duration(ms int64) time.Duration {
	switch {
	case ms == Never:
		return -1
	case ms > math.MaxInt64/int64(time.Millisecond):
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
}

// After returns t + d, or Never if either is Never or the sum overflows.
func After(t, d int64) int64 {
	if t == Never || d == Never || d > Never-t {
		return Never
	}
	return t + d
}

// Alive reports whether the session exists at now.
func (c *Timeline) Alive(now int64) bool { return c.Expires > now }

// deadline returns the end of the session by its lifecycle and its past.
func (c *Timeline) deadline() int64 {
	end := After(c.Created, c.Lifecycle.TTL)
	switch {
	case c.Status.Final():
		end = After(c.Terminated, c.Lifecycle.Retention)
	case c.Lifecycle.Sliding:
		end = After(c.Written, c.Lifecycle.TTL)
	}
	return min(end, After(c.Created, c.Lifecycle.MaxLifetime), After(c.Created, c.MaxAge))
}

// Refresh recomputes Expires after a change of Lifecycle, Status or Written.
func (c *Timeline) Refresh() { c.Expires = c.deadline() }

// RecordWrite records a write at now, which extends a sliding TTL.
func (c *Timeline) RecordWrite(now int64) {
	c.Written = now
	c.Refresh()
}

// overdueMove returns the status that the session enters next without a call,
// and when, or Never.
func (c *Timeline) overdueMove() (Status, int64) {
	switch c.Status {
	case Active:
		return Idle, After(max(c.Active, c.StatusAt), c.Lifecycle.IdleAfter)
	case Idle:
		return Archived, After(c.StatusAt, c.Lifecycle.ArchiveAfter)
	case Archived, Terminated: // they change only by a call
	}
	return c.Status, Never
}

// NextDeadline returns the earliest deadline of any kind, at which the sweeper
// must look at the session.
func (c *Timeline) NextDeadline() int64 {
	_, at := c.overdueMove()
	return min(at, c.Expires)
}

// ApplyDue applies the idling and archiving due by now, each at its own
// deadline. It reports whether the status changed.
func (c *Timeline) ApplyDue(now int64) bool {
	moved := false
	for {
		to, at := c.overdueMove()
		if at > now {
			return moved
		}
		c.Status = to
		c.StatusAt = at
		moved = true
	}
}

// SetStatus sets the status at now, by a call or a message. It counts as a
// write.
func (c *Timeline) SetStatus(to Status, now int64) {
	c.Status = to
	c.StatusAt = now
	switch {
	case to.Final():
		c.Terminated = now
	case to == Active:
		c.Active = max(c.Active, now)
	}
	c.RecordWrite(now)
}

// RefileDue returns the time at which the due entry belongs, given its present
// time. A write moves the entry only to an earlier time, so that extending a
// session moves no index. The sweeper (later) also moves it to a later time.
func RefileDue(filed, next int64, later bool) int64 {
	if later {
		return next
	}
	return min(filed, next)
}
