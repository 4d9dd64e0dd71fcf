package boltdriver

import (
	"fmt"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// An entry is found, or found to be absent, by its key, however many names
// begin with its own: whoever guesses the beginning of a name makes nobody
// work.
func TestEntryCostsOneKey(t *testing.T) {
	d := openCore(t, Options{CountReads: true})
	var c driver.Change
	for i := range 500 {
		k := driver.EntryKey{Namespace: 1, Kind: 1, Owner: "int", Name: fmt.Sprintf("name-%03d", i)}
		c.Entries = append(c.Entries, driver.Entry{EntryKey: k, Value: []byte("v")})
	}
	do(t, d, opOf(driver.Key{}, c))
	for name, want := range map[string]int{"name-007": 1, "name-": 0, "n": 0, "name-0070": 0, "zzz": 0} {
		before := d.Stats().KeysRead
		es, err := d.Entries(background, driver.EntryQuery{Namespace: 1, Kind: 1, Owner: "int", Name: name, Limit: 1})
		if err != nil || len(es) != want {
			t.Errorf("%q: %d entries, %v; want %d", name, len(es), err, want)
		}
		if n := d.Stats().KeysRead - before; n > 2 {
			t.Errorf("%q: %d keys were read", name, n)
		}
	}
	q := driver.EntryQuery{Namespace: 1, Kind: 1, Owner: "int", Name: "name-007", After: "name-007", Limit: 1}
	if es, err := d.Entries(background, q); err != nil || len(es) != 0 {
		t.Errorf("after itself: %d entries, %v; want none", len(es), err)
	}
}
