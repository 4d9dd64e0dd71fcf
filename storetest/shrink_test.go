package storetest

import (
	"slices"
	"testing"
)

// The shortened run still fails and needs each of its steps, and stepsOf parses
// the list that listOf prints.
func TestFewest(t *testing.T) {
	needed := []int{3, 17, 18, 396}
	steps := fewest(stepsOf("", 400), func(steps []int) bool {
		for _, n := range needed {
			if !slices.Contains(steps, n) {
				return false
			}
		}
		return true
	})
	if !slices.Equal(steps, needed) {
		t.Errorf("got %v, want %v", steps, needed)
	}
	if list := listOf(steps); list != "3,17-18,396" || !slices.Equal(stepsOf(list, 0), steps) {
		t.Errorf("the list of %v is %s", steps, list)
	}
}
