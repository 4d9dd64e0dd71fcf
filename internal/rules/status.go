// Package rules has the rules of sessions as pure functions of the stored data,
// the request and the time. It knows no store, no driver and no clock.
//
// Times and durations are milliseconds. Times count from the Unix epoch.
package rules

import "slices"

// Status is a stage in the life of a session. The numbers are stored.
type Status uint8

// The statuses of a session.
const (
	Active     Status = 1
	Idle       Status = 2
	Archived   Status = 3
	Terminated Status = 4
)

// state has the properties of one status.
type state struct {
	status   Status
	name     string
	writable bool     // takes appends, updates and touches
	moves    []Status // statuses to which a caller may move a session; none = final
}

// states lists the statuses in the order of their numbers, which start at 1.
// Every function of this file reads it.
var states = []state{
	{Active, "active", true, []Status{Idle, Archived, Terminated}},
	{Idle, "idle", true, []Status{Active, Archived, Terminated}},
	{Archived, "archived", false, []Status{Active, Terminated}},
	{Terminated, "terminated", false, nil},
}

// row returns the row of s, or an empty row if s is unknown.
func (s Status) row() state {
	if !s.Valid() {
		return state{}
	}
	return states[s-1]
}

// Statuses returns every status, by number.
func Statuses() []Status {
	all := make([]Status, len(states))
	for i := range states {
		all[i] = states[i].status
	}
	return all
}

// Names returns the names of the statuses, indexed by number. There is no
// status 0, and its name is empty.
func Names() []string {
	names := make([]string, 1+len(states))
	for _, s := range states {
		names[s.status] = s.name
	}
	return names
}

// Allowed returns the statuses to which a caller may move a session in status
// from.
func Allowed(from Status) []Status { return from.row().moves }

// CanMove reports whether a caller may move a session in status from to status
// to.
func CanMove(from, to Status) bool { return slices.Contains(Allowed(from), to) }

// Writable reports whether a session in s takes appends, updates and touches.
func (s Status) Writable() bool { return s.row().writable }

// Final reports whether a session stays in s until its retention is over.
func (s Status) Final() bool { return s.Valid() && len(s.row().moves) == 0 }

// Valid reports whether s is a status.
func (s Status) Valid() bool { return s > 0 && int(s) <= len(states) }
