package crash

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// replay makes and checks the images that a power failure can have left at any
// moment of a recorded history.
type replay struct {
	w      *work
	dir    string // in memory, if there is such a place
	limit  int    // images
	random int    // random cuts at each moment
	every  int    // looks at about one in so many of a moment's images
	from   int    // events before it are only applied

	r     *rand.Rand
	check checker

	base    image
	pending []event
	acked   int
	named   bool // the file has its name
	seen    map[uint64]bool

	images int            // distinct ones that were checked
	bad    map[string]int // what was wrong, and how often
}

func newReplay(w *work, limit int) (*replay, error) {
	dir, err := os.MkdirTemp(memoryDir(), "seshat-crash-")
	return &replay{
		w: w, dir: dir, limit: limit, random: 12, every: 1,
		r: rand.New(rand.NewPCG(w.seed, 1)), check: checker{path: filepath.Join(dir, storeName), w: w},
		seen: map[uint64]bool{}, bad: map[string]int{},
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
	defer func() { p.check.stop(); _ = os.RemoveAll(p.dir) }()
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
				p.bad["acknowledged before the file's name is durable"]++
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
		if sum := maphash.Bytes(hashSeed, im.data) ^ uint64(im.size); p.seen[sum] {
			continue
		} else {
			p.seen[sum] = true
		}
		p.images++
		if err := p.look(im, c.name); err != nil {
			return err
		}
	}
	return nil
}

func (p *replay) look(im *image, name string) error {
	f, err := os.Create(p.check.path)
	if err != nil {
		return err
	}
	_, err = f.Write(im.data)
	if err := errors.Join(err, f.Truncate(im.size), f.Close()); err != nil {
		return err
	}
	bad, err := p.check.check(p.acked)
	if bad != "" {
		if len(p.bad) == 0 {
			bad = fmt.Sprintf("%s (first with cut %q after step %d)", bad, name, p.acked)
		}
		p.bad[bad]++
	}
	if err := os.Remove(p.check.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return err
}

// violations is how many images were wrong.
func (p *replay) violations() (n int) {
	for _, of := range p.bad {
		n += of
	}
	return n
}
