package rules

import "testing"

// table is the transition table as it is promised, written out once more.
var table = map[Status]map[Status]bool{
	Active:     {Idle: true, Archived: true, Terminated: true},
	Idle:       {Active: true, Archived: true, Terminated: true},
	Archived:   {Active: true, Terminated: true},
	Terminated: {},
}

var statuses = []Status{Active, Idle, Archived, Terminated}

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
