package crash

import (
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"os"
)

// replay makes and checks the images that a power failure can have left at any
// moment of a recorded history.
type replay struct {
	w      *work
	dir    string // in memory, if there is such a place
	limit  int    // images
	random int    // random cuts at each moment
	every  int    // looks at about one in so many of a moment's images
	deep   int    // goes on with about one in so many of the images
	from   int    // events before it are only applied

	r     *rand.Rand
	pool  *pool
	wrong wrong

	base    image
	pending []event
	acked   int
	named   bool                // the file has its name
	seen    map[uint64]struct{} // since the last event that changes what is right
	all     map[uint64]struct{}

	images    int // distinct ones that were checked
	continued int // checks that also went on
}

func newReplay(w *work, limit int) (*replay, error) {
	dir, err := os.MkdirTemp(memoryDir(), "seshat-crash-")
	return &replay{
		w: w, dir: dir, limit: limit, random: 12, every: 1, deep: 1,
		r: rand.New(rand.NewPCG(w.seed, 1)), pool: newPool(dir, w),
		seen: map[uint64]struct{}{}, all: map[uint64]struct{}{},
	}, err
}

// memoryDir is a directory whose files need no disk, or "".
func memoryDir() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// run goes through the history.
func (p *replay) run(events []event) error {
	defer func() { _ = os.RemoveAll(p.dir) }()
	return errors.Join(p.moments(events), p.pool.wait())
}

func (p *replay) moments(events []event) error {
	named, kept := false, false
	for i, e := range events {
		switch e.kind {
		case wrote, resized:
			p.pending = append(p.pending, e)
			continue
		case linked:
			named = true
		case dirSynced:
			kept = kept || named
		case acked:
			if !kept {
				p.wrong.add("acknowledged before the file's name is durable")
			}
		case failed:
			continue
		}
		p.named = named
		if i >= p.from {
			if err := p.moment(); err != nil {
				return err
			}
		}
		p.after(e)
	}
	return p.moment()
}

// spread makes the limit reach to the end of the history, by leaving out
// images at random where there are more.
func (p *replay) spread(events []event) {
	total := 0
	var pending []event
	for i, e := range events {
		switch {
		case e.kind == wrote || e.kind == resized:
			pending = append(pending, e)
		case i >= p.from:
			total += len(cuts(pending, p.random, p.r))
		}
		if e.kind == synced {
			pending = pending[:0]
		}
	}
	p.every = total/p.limit + 1
}

// after takes note of an event of which every outcome was looked at.
func (p *replay) after(e event) {
	switch e.kind {
	case synced:
		for _, w := range p.pending {
			p.base.apply(w)
		}
		p.pending = p.pending[:0]
		clear(p.seen)
	case acked:
		p.acked = e.n
		clear(p.seen)
	}
}

// moment looks at what a power failure now can leave.
func (p *replay) moment() error {
	if !p.named { // no file, or one that the next opening removes
		return nil
	}
	for _, c := range cuts(p.pending, p.random, p.r) {
		if p.images >= p.limit {
			return nil
		}
		if p.r.IntN(p.every) > 0 {
			continue
		}
		im := c.make(&p.base, p.pending, p.r)
		sum := maphash.Bytes(hashSeed, im.data) ^ uint64(im.size)
		if _, ok := p.seen[sum]; ok {
			continue
		}
		p.seen[sum], p.all[sum] = struct{}{}, struct{}{}
		p.images = len(p.all)
		if err := p.look(im, c.name); err != nil {
			return err
		}
	}
	return nil
}

// look lets a checker look at the image.
func (p *replay) look(im *image, name string) error {
	q := question{acked: p.acked, goOn: p.r.IntN(p.deep) == 0}
	if q.goOn {
		p.continued++
	}
	return p.pool.ask(im, q, func(bad string) { p.wrong.addFirst(bad, name, q.acked) })
}
