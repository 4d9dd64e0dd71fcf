package rules

import (
	"math"
	"time"
)

// Never is the time of a deadline that does not come, and the length of a
// duration that does not end.
const Never int64 = math.MaxInt64

// Lifecycle is a session's resolved lifecycle: how long each thing lasts, in
// milliseconds, or Never.
type Lifecycle struct {
	TTL          int64
	Sliding      bool // the TTL counts from the last write, not from creation
	MaxLifetime  int64
	IdleAfter    int64
	ArchiveAfter int64
	Retention    int64
}

// Timeline is the part of a session that time acts on.
type Timeline struct {
	Lifecycle  Lifecycle
	Status     Status
	StatusAt   int64 // when Status was reached
	Created    int64
	Written    int64 // last write: what a sliding TTL counts from
	Active     int64 // last activity: what idling counts from
	Terminated int64 // 0 = not
	MaxAge     int64 // the quota on a session's duration, or Never
	Expires    int64 // the first moment at which the session does not exist
}

// Millis rounds a duration up to milliseconds; what is not positive never ends.
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

// Duration is the inverse of Millis, but for what rounding up added. Never is
// a negative one.
func Duration(ms int64) time.Duration {
	switch {
	case ms == Never:
		return -1
	case ms > math.MaxInt64/int64(time.Millisecond):
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
}

// After returns t + d, or Never where either is or the sum passes it.
func After(t, d int64) int64 {
	if t == Never || d == Never || d > Never-t {
		return Never
	}
	return t + d
}

// Alive reports whether the session exists at now.
func (c *Timeline) Alive(now int64) bool { return c.Expires > now }

// deadline is when the session ends, by its life and its past.
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

// Refresh computes Expires anew, after a change of life, status or Written.
func (c *Timeline) Refresh() { c.Expires = c.deadline() }

// RecordWrite notes a write at now, which extends a sliding TTL.
func (c *Timeline) RecordWrite(now int64) {
	c.Written = now
	c.Refresh()
}

// overdueMove returns the status that time brings next and when, or Never.
func (c *Timeline) overdueMove() (Status, int64) {
	switch c.Status {
	case Active:
		return Idle, After(max(c.Active, c.StatusAt), c.Lifecycle.IdleAfter)
	case Idle:
		return Archived, After(c.StatusAt, c.Lifecycle.ArchiveAfter)
	case Archived, Terminated: // time brings them nowhere
	}
	return c.Status, Never
}

// NextDeadline is the next deadline of any sort: the earliest moment at which
// the session has to be looked at.
func (c *Timeline) NextDeadline() int64 {
	_, at := c.overdueMove()
	return min(at, c.Expires)
}

// ApplyDue applies the idling and archiving that are overdue at now, each at
// the moment at which it was due, and reports whether there was any.
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

// SetStatus sets the status at now, by hand or by a message, as a write.
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

// RefileDue returns where the due entry belongs, given where it is filed now. A
// write moves it only if the next deadline became earlier, so that extending a
// life moves no index. The sweeper moves it also to a later one, when it comes
// up.
func RefileDue(filed, next int64, later bool) int64 {
	if later {
		return next
	}
	return min(filed, next)
}
