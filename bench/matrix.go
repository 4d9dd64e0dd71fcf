package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seshatdb/seshat/bench/load"
	"github.com/seshatdb/seshat/bench/peer"
)

// row is one workload with one number of goroutines, for all peers.
type row struct {
	name  string
	g     int
	burst int
	write bool
	make  func(p *contender) op
	// found holds the median of each peer, by its index; nil = not supported.
	found []*sample
}

// contender is an open peer.
type contender struct {
	kind peer.Kind
	peer.Peer
	ids     []string     // of the sessions that it was filled with
	n       int          // how many they are
	created atomic.Int64 // since then
}

// matrix is every row with every peer.
type matrix struct {
	peers   []*contender
	skipped []string
	rows    []*row
}

// openPeers opens the peers whose names contain a word of only.
func openPeers(dir string, n int, only string) (m *matrix, err error) {
	m = new(matrix)
	for _, k := range peer.Kinds() {
		if !chosen(k.Name, only) {
			continue
		}
		sub := filepath.Join(dir, strings.ReplaceAll(k.Name, " ", "-"))
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return nil, err
		}
		p, err := k.Open(sub)
		if errors.Is(err, peer.ErrNone) {
			m.skipped = append(m.skipped, fmt.Sprintf("%s: %v", k.Name, err))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.Name, err)
		}
		start := time.Now()
		if err := p.Fill(context.Background(), fillings(n)); err != nil {
			return nil, fmt.Errorf("fill %s: %w", k.Name, err)
		}
		logf("filled %s in %v", k.Name, time.Since(start).Round(time.Millisecond))
		m.peers = append(m.peers, &contender{kind: k, Peer: p, n: n, ids: ids(n)})
	}
	return m, nil
}

func chosen(name, only string) bool {
	if only == "" {
		return true
	}
	for _, w := range strings.Split(only, ",") {
		if strings.EqualFold(w, name) {
			return true
		}
	}
	return false
}

// ids returns the ids of the first n sessions.
func ids(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = load.ID(i)
	}
	return out
}

// fillings returns n sessions with their logs, the same for each peer.
func fillings(n int) []peer.Filling {
	r := rand.New(rand.NewPCG(1, 1))
	all := make([]peer.Filling, n)
	for i := range all {
		all[i] = peer.Filling{Session: load.NewSession(i, n), Messages: load.History(r)}
	}
	return all
}

func (m *matrix) close() (err error) {
	for _, c := range m.peers {
		err = errors.Join(err, c.Close())
	}
	return err
}

// add adds the standard rows.
func (m *matrix) add(routines []int) {
	ctx := context.Background()
	pick := func(c *contender, r *rand.Rand) string { return c.ids[r.IntN(c.n)] }
	for _, g := range routines {
		m.rows = append(m.rows,
			&row{name: "create", g: g, burst: 1, write: true, make: func(c *contender) op {
				return func(int, *rand.Rand) error {
					return c.Create(ctx, load.NewSession(c.n+int(c.created.Add(1)), c.n))
				}
			}},
			&row{name: "append", g: g, burst: 1, write: true, make: func(c *contender) op {
				return func(_ int, r *rand.Rand) error { return c.Append(ctx, pick(c, r), load.NewMessage(r)) }
			}},
			&row{name: "touch", g: g, burst: 1, write: true, make: func(c *contender) op {
				return func(_ int, r *rand.Rand) error { return c.Touch(ctx, pick(c, r)) }
			}})
	}
	hot := func(c *contender) op {
		return func(_ int, r *rand.Rand) error { return c.Get(ctx, c.ids[r.IntN(min(64, c.n))]) }
	}
	m.rows = append(m.rows,
		&row{name: "get, hot", g: 1, burst: 16, make: hot},
		&row{name: "get, hot", g: min(64, slices.Max(routines)), burst: 16, make: hot},
		&row{name: "list 50 of a user", g: 1, burst: 1, make: func(c *contender) op {
			return func(_ int, r *rand.Rand) error {
				_, err := c.ListUser(ctx, load.User(r.IntN(c.n), c.n), 50)
				return err
			}
		}},
		&row{name: "list 50 by activity", g: 1, burst: 1, make: func(c *contender) op {
			return func(int, *rand.Rand) error {
				_, err := c.ListActive(ctx, 50)
				return err
			}
		}})
}

// run measures all rows. Each round measures every peer once, in rotating
// order.
func (m *matrix) run(rounds int, d time.Duration) error {
	for _, r := range m.rows {
		if err := m.runRow(r, rounds, d); err != nil {
			return err
		}
		logf("%s g=%d", r.name, r.g)
	}
	return nil
}

func (m *matrix) runRow(r *row, rounds int, d time.Duration) error {
	all := make([][]sample, len(m.peers))
	for round := range rounds {
		for i := range m.peers {
			i = (i + round*3) % len(m.peers)
			s, err := measure(r.g, r.burst, d, r.make(m.peers[i]))
			if errors.Is(err, peer.ErrNone) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%s of %s: %w", r.name, m.peers[i].kind.Name, err)
			}
			all[i] = append(all[i], s)
		}
	}
	r.found = make([]*sample, len(m.peers))
	for i := range all {
		if len(all[i]) > 0 {
			s := medianSample(all[i])
			r.found[i] = &s
		}
	}
	return nil
}

// index returns the index of a peer, or -1.
func (m *matrix) index(name string) int {
	for i, c := range m.peers {
		if c.kind.Name == name {
			return i
		}
	}
	return -1
}

// of returns the result of a peer in a row, or nil.
func (m *matrix) of(name, row string, g int) *sample {
	i := m.index(name)
	for _, r := range m.rows {
		if i >= 0 && r.name == row && r.g == g && r.found != nil {
			return r.found[i]
		}
	}
	return nil
}
