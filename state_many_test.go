package seshat

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

const entriesEach = 40

// countingEntries holds sorted entries and counts its reads.
type countingEntries struct {
	entries []driver.Entry
	reads   int
	fail    error
}

func (e *countingEntries) Entries(_ context.Context, q driver.EntryQuery) (out []driver.Entry, err error) {
	e.reads++
	for _, x := range e.entries {
		if len(out) < q.Limit && (x.Owner == q.Owner || q.AllOwners && x.Owner > q.Owner) {
			out = append(out, x)
		}
	}
	return out, e.fail
}

func newCountingEntries(rng *rand.Rand, n int, size func() int) (e *countingEntries, names []string) {
	e = &countingEntries{}
	for i := range n {
		name := fmt.Sprintf("%06d", i)
		names = append(names, name)
		for j := range min(size(), entriesEach) {
			e.entries = append(e.entries, driver.Entry{EntryKey: driver.EntryKey{Owner: name, Name: fmt.Sprint(j)}})
		}
	}
	rng.Shuffle(n, func(i, j int) { names[i], names[j] = names[j], names[i] })
	return e, names
}

// Each owner gets all of its entries once, whatever other owners have, and even
// if an owner is requested twice.
func TestEachOwnerGetsAllOfItsEntries(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 0))
		e, names := newCountingEntries(rng, 1+rng.IntN(300), func() int {
			return rng.IntN(entriesEach+1) * rng.IntN(2)
		})
		asked := append(names[:rng.IntN(len(names)+1)], "absent")
		asked = append(asked, asked[:rng.IntN(len(asked))]...)
		got := make([]int, len(asked))
		err := readOwners(context.Background(), e, ownersQuery{Each: entriesEach}, asked,
			func(i int, entries []driver.Entry) error {
				if got[i] += len(entries); slices.ContainsFunc(entries, func(x driver.Entry) bool {
					return x.Owner != asked[i]
				}) {
					t.Errorf("seed %d: %q got an entry of another", seed, asked[i])
				}
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range asked {
			want := 0
			for _, x := range e.entries {
				if x.Owner == name {
					want++
				}
			}
			if got[i] != want {
				t.Errorf("seed %d: %q got %d entries, want %d", seed, name, got[i], want)
			}
		}
	}
}

// Owners that sort near each other share reads. Distant owners cost one read
// each.
func TestNeighboursShareReads(t *testing.T) {
	e, names := newCountingEntries(rand.New(rand.NewPCG(1, 0)), 3000, func() int { return 3 })
	none := func(int, []driver.Entry) error { return nil }
	if err := readOwners(context.Background(), e, ownersQuery{Each: entriesEach}, names, none); err != nil ||
		e.reads > 9000/(entriesEach*4)+10 {
		t.Errorf("%d reads for all, %v", e.reads, err)
	}
	e.reads = 0
	slices.Sort(names)
	var far []string
	for i := 0; i < len(names); i += 100 {
		far = append(far, names[i])
	}
	if err := readOwners(context.Background(), e, ownersQuery{Each: entriesEach}, far, none); err != nil ||
		e.reads > len(far)+1 {
		t.Errorf("%d reads for %d far owners, %v", e.reads, len(far), err)
	}
}

// An error of the engine or of give ends the read and is returned.
func TestErrorsEndTheRead(t *testing.T) {
	e, names := newCountingEntries(rand.New(rand.NewPCG(1, 0)), 10, func() int { return 1 })
	mine := errors.New("mine")
	calls := 0
	err := readOwners(context.Background(), e, ownersQuery{Each: entriesEach}, names, func(int, []driver.Entry) error {
		calls++
		return mine
	})
	if !errors.Is(err, mine) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	e.fail = mine
	if err := readOwners(context.Background(), e, ownersQuery{Each: entriesEach}, names, nil); !errors.Is(err, mine) {
		t.Error(err)
	}
}
