package rules

import (
	"slices"
	"testing"
)

// table is the transition table as it is promised, written out once more.
var table = map[Status]map[Status]bool{
	Active:     {Idle: true, Archived: true, Terminated: true},
	Idle:       {Active: true, Archived: true, Terminated: true},
	Archived:   {Active: true, Terminated: true},
	Terminated: {},
}

var statuses = []Status{Active, Idle, Archived, Terminated}

// The rows stand by their numbers, which the driver's counters have room for.
func TestRowsStandByTheirNumbers(t *testing.T) {
	for i, s := range states {
		if int(s.status) != i+1 || s.name == "" {
			t.Errorf("row %d is of status %d, %q", i, s.status, s.name)
		}
		for _, to := range s.moves {
			if !to.Valid() || to == s.status {
				t.Errorf("%s may be moved to %d", s.name, to)
			}
		}
	}
	if !slices.Equal(Statuses(), statuses) {
		t.Errorf("Statuses: got %v, want %v", Statuses(), statuses)
	}
	if got, want := Names(), []string{"", "active", "idle", "archived", "terminated"}; !slices.Equal(got, want) {
		t.Errorf("Names: got %q, want %q", got, want)
	}
	for _, s := range []Status{0, 1, 2, 3, 4, 5, 255} {
		if got, want := s.Final(), s == Terminated; got != want {
			t.Errorf("Final(%d): got %v, want %v", s, got, want)
		}
	}
}

func TestMayIsTheTable(t *testing.T) {
	for _, from := range statuses {
		for _, to := range statuses {
			if got, want := CanMove(from, to), table[from][to]; got != want {
				t.Errorf("May(%d, %d): got %v, want %v", from, to, got, want)
			}
		}
	}
}

func TestAllowedListsWhatMayBe(t *testing.T) {
	for _, from := range statuses {
		row := Allowed(from)
		if len(row) != len(table[from]) {
			t.Errorf("Allowed(%d): got %d statuses, want %d", from, len(row), len(table[from]))
		}
		for _, to := range row {
			if !CanMove(from, to) {
				t.Errorf("Allowed(%d) holds %d, which May refuses", from, to)
			}
		}
	}
}

func TestNothingMovesFromOrToAnUnknownStatus(t *testing.T) {
	for _, unknown := range []Status{0, 5, 255} {
		if unknown.Valid() || unknown.Writable() || len(Allowed(unknown)) > 0 {
			t.Errorf("status %d is valid, writable or may move", unknown)
		}
		for _, known := range statuses {
			if CanMove(unknown, known) || CanMove(known, unknown) {
				t.Errorf("May allows a move between %d and %d", unknown, known)
			}
		}
	}
}

func TestOnlyActiveAndIdleTakeWrites(t *testing.T) {
	for _, s := range statuses {
		if !s.Valid() {
			t.Errorf("status %d is not valid", s)
		}
		if got, want := s.Writable(), s == Active || s == Idle; got != want {
			t.Errorf("Writable(%d): got %v, want %v", s, got, want)
		}
	}
}
