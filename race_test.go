//go:build race

package seshat

// raceEnabled is true under the race detector. It makes pools drop objects at
// random and code allocate more, so tests of allocations skip.
const raceEnabled = true
