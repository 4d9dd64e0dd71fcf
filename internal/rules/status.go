// Package rules says what a change means: pure functions of what is stored,
// what is asked, and now. It knows no store, no driver and no clock.
//
// Times and durations are milliseconds; times count from the Unix epoch.
package rules

// Status is where a session is in its life. The numbers are stored.
type Status uint8

// The statuses of a session.
const (
	Active     Status = 1
	Idle       Status = 2
	Archived   Status = 3
	Terminated Status = 4
)

// moves is the transition table: moves[from] holds every status that a caller
// may ask for.
var moves = map[Status][]Status{
	Active:     {Idle, Archived, Terminated},
	Idle:       {Active, Archived, Terminated},
	Archived:   {Active, Terminated},
	Terminated: nil,
}

// Allowed returns the statuses to which a session in from may be moved by hand.
func Allowed(from Status) []Status { return moves[from] }

// CanMove reports whether a session may be moved by hand from one status to the
// other.
func CanMove(from, to Status) bool {
	for _, s := range moves[from] {
		if s == to {
			return true
		}
	}
	return false
}

// Writable reports whether a session in s takes appends, updates and touches.
func (s Status) Writable() bool { return s == Active || s == Idle }

// Valid reports whether s is one of the four statuses.
func (s Status) Valid() bool { return s >= Active && s <= Terminated }
