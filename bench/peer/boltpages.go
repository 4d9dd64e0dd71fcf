package peer

import (
	"context"
	"math/rand/v2"

	"github.com/seshatdb/seshat/bench/load"
	bolt "go.etcd.io/bbolt"
)

// BoltPages counts the pages that bbolt writes for the minimum that a call
// needs.
type BoltPages struct {
	p *plainBolt
	n int
}

// OpenBoltPages creates a file with only these buckets; see the kind "bbolt".
func OpenBoltPages(path, buckets string, all []Filling) (*BoltPages, error) {
	p, err := openBolt(path, buckets)
	if err != nil {
		return nil, err
	}
	p.db.NoSync = true
	return &BoltPages{p, len(all)}, p.Fill(context.Background(), all)
}

// PerCall commits transactions of so many calls on random sessions: appends if
// add is true, otherwise touches. It returns the pages written per call.
func (b *BoltPages) PerCall(add bool, calls, commits int) (float64, error) {
	r := rand.New(rand.NewPCG(3, 4))
	pages := 0
	for range commits {
		tx, err := b.p.db.Begin(true)
		if err != nil {
			return 0, err
		}
		for range calls {
			if err := b.call(tx, load.ID(r.IntN(b.n)), add, r); err != nil {
				_ = tx.Rollback()
				return 0, err
			}
		}
		if err := tx.Commit(); err != nil {
			return 0, err
		}
		s := tx.Stats()
		pages += int(s.GetPageAlloc())/b.p.db.Info().PageSize + 1 // and the meta page
	}
	return float64(pages) / float64(calls*commits), nil
}

func (b *BoltPages) call(tx *bolt.Tx, id string, add bool, r *rand.Rand) error {
	t := b.p.begin(tx)
	if !add {
		t.change(id, (*load.Session).Touch)
		return t.err
	}
	m := load.NewMessage(r)
	if s := t.change(id, func(s *load.Session) { s.Add(m) }); s != nil {
		t.file(s, m)
		t.event(s)
	}
	return t.err
}

// Close closes the file.
func (b *BoltPages) Close() error { return b.p.Close() }
