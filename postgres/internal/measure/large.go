package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/postgres/internal/pgserver"
)

const (
	perUser  = 100 // sessions of each user, in both
	bodySize = 500
	batch    = 1000 // parts of a Load
	hotUsers = 20   // who are asked for again and again
	epoch    = int64(1_760_000_000_000)
)

// scale holds the measurements of a small and a large namespace.
type scale struct {
	small, large int
	loaded       time.Duration // the large one
	rows         []scaleRow
}

type scaleRow struct {
	name         string
	small, large took
}

// took holds durations of calls. A busy machine affects the fastest tenth
// least.
type took struct{ tenth, median time.Duration }

// grow makes a small store and a large one and times calls on both, by turns.
func grow(ctx context.Context, server *pgserver.Server, small, large int) (s *scale, err error) {
	s = &scale{small: small, large: large}
	var sides [2]*postgres.Driver
	for i, size := range []int{small, large} {
		d, err := postgres.Open(ctx, server.DSN(), postgres.Options{Schema: fmt.Sprintf("size%d", i)})
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		start := time.Now()
		if err := load(ctx, d, size); err != nil {
			return nil, err
		}
		sides[i] = d
		s.loaded = time.Since(start)
	}
	if err := server.Do(ctx, "vacuum analyze"); err != nil {
		return nil, err
	}
	for _, r := range reads {
		found, err := r.times(ctx, sides, [2]int{small, large})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		row := scaleRow{r.name, found[0], found[1]}
		fmt.Fprintln(os.Stderr, row)
		s.rows = append(s.rows, row)
	}
	return s, nil
}

// load creates n sessions of n/perUser users in the order of time.
func load(ctx context.Context, d driver.Loader, n int) error {
	var was []byte
	for i := 0; i < n; {
		var l driver.Load
		for ; i < n && len(l.Parts) < batch; i++ {
			l.Parts = append(l.Parts, driver.Part{Kind: driver.PartRecord, Namespace: 1, Record: *record(i, n)})
		}
		l.Was = was
		was = nil
		if i < n {
			was = fmt.Append(nil, i)
		}
		l.Note = was
		if err := d.Load(ctx, l); err != nil {
			return err
		}
		if i%(100*batch) == 0 {
			fmt.Fprintln(os.Stderr, "loaded", i)
		}
	}
	return nil
}

// record returns the ith of n sessions. Ids ascend with time, so sessions of
// neighbouring times are neighbours in the table, and those of a user are
// spread over it.
func record(i, n int) *driver.Record {
	return &driver.Record{
		Key:         driver.Key{Namespace: 1, ID: largeID(i)},
		Incarnation: driver.Incarnation{1, byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24)},
		Version:     1, NextSeq: 1, UserID: largeUser(i, n), Created: epoch + int64(i),
		ActiveMinute: (epoch + int64(i)*1000) / 60_000,
		Due:          driver.Never, Expires: driver.Never, Bytes: bodySize, Body: make([]byte, bodySize),
	}
}

// put returns an op that makes the ith of n sessions as it is.
func put(i, n int) *driver.Op {
	r := record(i, n)
	return &driver.Op{
		Target: driver.Target{Key: r.Key},
		Clock:  func() int64 { return epoch },
		Plan:   func(driver.View) (driver.Change, error) { return driver.Change{Put: r}, nil },
	}
}

func largeID(i int) string { return fmt.Sprintf("ses_%010d", i) }

func largeUser(i, n int) string { return fmt.Sprintf("user %06d", i%(n/perUser)) }

// read is a call whose cost should not depend on the size.
type read struct {
	name string
	cold bool // other sessions or users each time, not the same few
	do   func(ctx context.Context, d *postgres.Driver, i, n int) error
}

var reads = []read{
	{"get", false, get},
	{"get, others each time", true, get},
	{"list 50 of a user", false, listUser},
	{"list 50 of a user, others each time", true, listUser},
	{"list 50 of a user, by activity", false, func(ctx context.Context, d *postgres.Driver, i, n int) error {
		return page(ctx, d, driver.Query{UserID: largeUser(i, n), Order: driver.ByActivity, Desc: true})
	}},
	{"list 50 of the namespace", false, func(ctx context.Context, d *postgres.Driver, _, _ int) error {
		return page(ctx, d, driver.Query{Desc: true})
	}},
	{"list 50 of the namespace, by activity", false, func(ctx context.Context, d *postgres.Driver, _, _ int) error {
		return page(ctx, d, driver.Query{Order: driver.ByActivity, Desc: true})
	}},
	{"count", false, func(ctx context.Context, d *postgres.Driver, _, n int) error {
		u, err := d.Count(ctx, driver.Query{Namespace: 1, Now: epoch})
		if err == nil && u.Sessions[0] != uint64(n) {
			err = fmt.Errorf("counted %d", u.Sessions[0])
		}
		return err
	}},
	{"change", false, func(ctx context.Context, d *postgres.Driver, i, n int) error {
		return d.Mutate(ctx, put(i%n, n))
	}},
}

func get(ctx context.Context, d *postgres.Driver, i, n int) error {
	return d.Get(ctx, driver.Key{Namespace: 1, ID: largeID(i % n)}, epoch, new(driver.Record))
}

func listUser(ctx context.Context, d *postgres.Driver, i, n int) error {
	return page(ctx, d, driver.Query{UserID: largeUser(i, n), Desc: true})
}

func page(ctx context.Context, d *postgres.Driver, q driver.Query) error {
	q.Namespace = 1
	q.Now = epoch
	q.Limit = 50
	p, err := d.List(ctx, q)
	if err == nil && len(p.Records) != q.Limit {
		err = fmt.Errorf("a page of %d", len(p.Records))
	}
	return err
}

// times returns the durations of the call on both sides after a warm-up.
func (r *read) times(ctx context.Context, sides [2]*postgres.Driver, sizes [2]int) (found [2]took, err error) {
	const warm, times = 100, 1000
	var all [2][]time.Duration
	for i := range warm + times {
		for side, d := range sides {
			which := i % hotUsers
			if r.cold {
				which = i
			}
			start := time.Now()
			if err := r.do(ctx, d, which*7919%sizes[side], sizes[side]); err != nil {
				return found, err
			}
			if i >= warm {
				all[side] = append(all[side], time.Since(start))
			}
		}
	}
	for side, t := range all {
		slices.Sort(t)
		found[side] = took{t[times/10], t[times/2]}
	}
	return found, nil
}
