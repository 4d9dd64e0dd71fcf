package postgres_test

import (
	"sync"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
)

// TestAbsent proves that an op which saw that an entry is absent, and one that
// writes it, do not both go through as if they were alone: one of two that each
// look for the other's entry sees it.
func TestAbsent(t *testing.T) {
	dsn := database(t)
	d := open(t, dsn, postgres.Options{Schema: schemas.Get(t, dsn, 0)})
	for round := range 20 {
		var keys [2]driver.EntryKey
		for i := range keys {
			keys[i] = driver.EntryKey{Kind: 1, Owner: string(rune('a' + i)), Name: string(rune('a' + round))}
		}
		var done sync.WaitGroup
		var saw [2]bool
		for i := range keys {
			done.Add(1)
			go func() {
				defer done.Done()
				op := &driver.Op{
					Target: driver.Target{Entries: []driver.EntryKey{keys[1-i]}},
					Clock:  func() int64 { return 1 },
					Plan: func(v driver.View) (driver.Change, error) {
						saw[i] = v.Entries[0] != nil
						return driver.Change{Entries: []driver.Entry{{EntryKey: keys[i], Value: []byte("x")}}}, nil
					},
				}
				if err := d.Mutate(t.Context(), op); err != nil {
					t.Error(err)
				}
			}()
		}
		done.Wait()
		if saw[0] == saw[1] {
			t.Fatalf("round %d: saw the other's entry: %v", round, saw)
		}
	}
	found, err := d.Entries(t.Context(), driver.EntryQuery{Kind: 1, AllOwners: true, Limit: 100})
	if err != nil || len(found) != 40 {
		t.Errorf("%d entries, error %v", len(found), err)
	}
}
