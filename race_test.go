//go:build race

package seshat

// raceEnabled says that the race detector is on: it makes pools drop what they
// hold at random and code allocate more, so tests of allocations skip.
const raceEnabled = true
