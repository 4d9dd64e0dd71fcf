package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/seshatdb/seshat/bench/load"
	"github.com/seshatdb/seshat/bench/peer"
)

// sizeRow is the latency of one call of one goroutine at one size.
type sizeRow struct {
	n    int
	name string
	get  time.Duration
	list time.Duration
	add  time.Duration
}

// grown are the peers that are measured at several sizes: those that keep all
// in one file of pages, and the two engines with a log in front.
const grown = "Seshat,bbolt,SQLite,Badger,Pebble"

// measureSizes measures medians of single calls in stores of several sizes.
func (r *results) measureSizes() error {
	for _, n := range r.sizes {
		dir, err := subdir(r.dir, fmt.Sprint("size-", n))
		if err != nil {
			return err
		}
		for _, k := range peer.Kinds() {
			if !chosen(k.Name, grown) || !chosen(k.Name, r.only) {
				continue
			}
			row, err := r.sizeRow(filepath.Join(dir, k.Name), k, n)
			if err != nil {
				return fmt.Errorf("%s at %d: %w", k.Name, n, err)
			}
			r.grown = append(r.grown, row)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

func (r *results) sizeRow(dir string, k peer.Kind, n int) (row sizeRow, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return row, err
	}
	p, err := k.Open(dir)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	ctx := context.Background()
	if err := p.Fill(ctx, bare(n)); err != nil {
		return row, err
	}
	row = sizeRow{n: n, name: k.Name}
	names := ids(n)
	for _, x := range []struct {
		to *time.Duration
		op op
	}{
		{&row.get, func(_ int, rnd *rand.Rand) error { return p.Get(ctx, names[rnd.IntN(n)]) }},
		{&row.list, func(_ int, rnd *rand.Rand) error {
			_, err := p.ListUser(ctx, load.User(rnd.IntN(n), n), 50)
			return err
		}},
		{&row.add, func(_ int, rnd *rand.Rand) error {
			return p.Append(ctx, names[rnd.IntN(n)], load.NewMessage(rnd))
		}},
	} {
		s, err := measure(1, 1, r.each, x.op)
		if err != nil {
			return row, err
		}
		*x.to = s.p50
	}
	return row, nil
}

func subdir(dir, name string) (string, error) {
	dir = filepath.Join(dir, name)
	return dir, os.MkdirAll(dir, 0o700)
}
