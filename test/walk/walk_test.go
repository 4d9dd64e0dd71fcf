package main

import "testing"

// A budget bounds the walk of one call.
type budget struct {
	functions, files, frames int
}

// budgets are the current figures of the calls. Lower them if a change makes a
// walk shorter. Raise one only if the commit gives the reason for the longer
// walk.
var budgets = map[string]budget{
	"Append": {functions: 292, files: 60, frames: 11},
	"Get":    {functions: 88, files: 23, frames: 0},
	"Sweep":  {functions: 280, files: 54, frames: 12},
}

// TestWalkStaysShort proves that one warm Append, Get and Sweep run no more
// functions, files and frames up to bbolt's Put than their budgets allow.
func TestWalkStaysShort(t *testing.T) {
	walks, err := Trace("testdata/trace")
	if err != nil {
		t.Fatal(err)
	}
	if len(walks) != len(budgets) {
		t.Fatalf("%d calls were traced, %d have a budget", len(walks), len(budgets))
	}
	for _, w := range walks {
		most := budgets[w.Call]
		t.Logf("%s: %d functions in %d files, %d frames to Put", w.Call, len(w.Functions), w.Files(), len(w.Frames))
		if len(w.Functions) > most.functions {
			t.Errorf("%s runs %d functions; at most %d are allowed", w.Call, len(w.Functions), most.functions)
		}
		if w.Files() > most.files {
			t.Errorf("%s runs functions of %d files; at most %d are allowed", w.Call, w.Files(), most.files)
		}
		if len(w.Frames) > most.frames {
			t.Errorf("%s has %d frames to Put; at most %d are allowed", w.Call, len(w.Frames), most.frames)
		}
		if len(w.Functions) < 10 || most.frames > 0 && len(w.Frames) < 3 {
			t.Errorf("%s was not measured: %d functions, %d frames", w.Call, len(w.Functions), len(w.Frames))
		}
	}
}
