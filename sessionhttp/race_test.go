//go:build race

package sessionhttp_test

// raceEnabled: pools drop what they hold at random, so allocations vary.
const raceEnabled = true
