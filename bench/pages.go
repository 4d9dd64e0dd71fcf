package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/bench/load"
	"github.com/seshatdb/seshat/bench/peer"
)

// pageRow holds the pages written per call, for commits of a number of calls.
type pageRow struct {
	name    string
	calls   float64 // in one commit
	ours    float64
	theirs  float64
	against string
}

// pageRoutines give commits of one call, and of 64 calls and more.
var pageRoutines = []int{1, 256}

// measurePages compares the pages that one of our commits writes with those of
// a bbolt transaction of as many calls.
func (r *results) measurePages() error {
	dir, err := subdir(r.dir, "pages")
	if err != nil {
		return err
	}
	s, err := peer.OpenSeshat(filepath.Join(dir, "seshat.db"), seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		return err
	}
	defer s.Close()
	n := min(r.large, 20_000)
	if err := s.Fill(context.Background(), bare(n)); err != nil {
		return err
	}
	for _, what := range []struct{ name, buckets, against string }{
		{"touch", "r", "the record alone"},
		{"append", "rlif", "record, message, message id and feed entry"},
	} {
		ref, err := peer.OpenBoltPages(filepath.Join(dir, what.name+".db"), what.buckets, bare(n))
		if err != nil {
			return err
		}
		for _, g := range pageRoutines {
			row, err := r.pageRow(s, ref, what.name, g, n)
			if err != nil {
				return err
			}
			row.against = what.against
			r.pages = append(r.pages, row)
		}
		if err := ref.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (r *results) pageRow(s *peer.Seshat, ref *peer.BoltPages, name string, g, n int) (row pageRow, err error) {
	ctx := context.Background()
	before, err := s.Store.Stats(ctx)
	if err != nil {
		return row, err
	}
	_, err = measure(g, 1, 2*r.each, func(_ int, rnd *rand.Rand) error {
		id := load.ID(rnd.IntN(n))
		if name == "touch" {
			return s.Touch(ctx, id)
		}
		return s.Append(ctx, id, load.NewMessage(rnd))
	})
	if err != nil {
		return row, err
	}
	after, err := s.Store.Stats(ctx)
	if err != nil {
		return row, err
	}
	ops := float64(after.Engine.Ops - before.Engine.Ops)
	commits := float64(after.Engine.Commits - before.Engine.Commits)
	row = pageRow{
		name: fmt.Sprintf("%s by %d", name, g), calls: ops / commits,
		ours: float64(after.Engine.PagesWritten-before.Engine.PagesWritten) / ops,
	}
	row.theirs, err = ref.PerCall(name == "append", max(1, int(row.calls+0.5)), min(int(commits), 50))
	return row, err
}

// bare returns n sessions without logs.
func bare(n int) []peer.Filling {
	all := make([]peer.Filling, n)
	for i := range all {
		all[i].Session = load.NewSession(i, n)
	}
	return all
}
