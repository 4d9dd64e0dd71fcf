package crash

import (
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"sync"
)

// replay makes and checks the images that a power failure at any moment of a
// recorded history can leave.
type replay struct {
	w      *work
	limit  int     // images
	random int     // random cuts at each moment
	share  float64 // of the images of each moment that are looked at
	deep   int     // goes on with about one in so many of the images
	from   int     // events before it are only applied

	r     *rand.Rand
	ask   inquiry
	wrong wrong

	disks map[uint64]*disk // by the file's number
	kept  uint64           // the file whose name is durable; 0 = none
	names []uint64         // files that got it since
	acked int
	seen  map[uint64]struct{} // since the last event that changes what is right

	groups    map[int]int // commits of the kind group, by how many calls they hold
	looked    int         // checks
	images    int         // distinct ones that were checked, and by no replay before
	continued int         // checks that also went on
}

func newReplay(w *work, limit, checkers int) (*replay, error) {
	pool, err := poolOf(w, checkers)
	return &replay{
		w: w, limit: limit, random: 12, share: 1, deep: 1,
		r: rand.New(rand.NewPCG(w.seed, 1)), ask: inquiry{pool: pool},
		groups: map[int]int{}, disks: map[uint64]*disk{}, seen: map[uint64]struct{}{},
	}, err
}

// distinct are the images that were checked since the program began.
var distinct sync.Map

// memoryDir returns a directory in memory, or "" if there is none.
func memoryDir() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// run replays the history.
func (p *replay) run(events []event) error {
	return errors.Join(p.moments(events), p.ask.wait())
}

func (p *replay) moments(events []event) error {
	for i, e := range events {
		if i >= p.from && e.changes() {
			if err := p.moment(); err != nil {
				return err
			}
		}
		p.apply(e)
	}
	return p.moment()
}

// changes reports whether what a power failure can leave, or what is right,
// is another after the event and not only more.
func (e event) changes() bool {
	switch e.kind {
	case synced, dirSynced, acked, broke:
		return true
	}
	return false
}

// spread makes the limit of images cover the whole history. It skips random
// images if there are more.
func (p *replay) spread(events []event) {
	total := 0
	ahead := replay{w: p.w, disks: map[uint64]*disk{}}
	for i, e := range events {
		if i >= p.from && e.changes() {
			for _, d := range ahead.candidates() {
				total += len(cuts(d.pending, p.random, p.r))
			}
		}
		ahead.apply(e)
	}
	p.share = float64(p.limit) / float64(max(total, 1))
}

// apply applies an event to the disks.
func (p *replay) apply(e event) {
	switch e.kind {
	case wrote, resized:
		d := p.disk(e.file)
		d.pending = append(d.pending, e)
	case synced:
		d := p.disk(e.file)
		if n := d.after.At.calls() - d.before.At.calls(); n > 0 {
			p.groups[n]++
		}
		d.synced()
	case broke:
		if e.text == "fdatasync" || e.text == "fsync" {
			p.disk(e.file).broke()
		}
	case named:
		p.names = append(p.names, e.file)
	case dirSynced:
		if n := len(p.names); n > 0 {
			p.kept = p.names[n-1]
			p.names = nil
		}
	case acked:
		if p.kept == 0 || len(p.names) > 0 {
			p.wrong.add("acknowledged before the file's name is durable")
		}
		if p.w.kind == "group" {
			e.n = acknowledge(p.acked, e.n)
		}
		p.acked = e.n
	}
	if e.changes() {
		clear(p.seen)
	}
}

func (p *replay) disk(file uint64) *disk {
	if p.disks[file] == nil {
		p.disks[file] = &disk{}
	}
	return p.disks[file]
}

// candidates returns the files that can have the store's name after a power
// failure. nil stands for no file, or for one that the next Open removes.
func (p *replay) candidates() (all []*disk) {
	for _, file := range append(p.names[:len(p.names):len(p.names)], p.kept) {
		if file != 0 {
			all = append(all, p.disk(file))
		}
	}
	return all
}

// moment checks the images that a power failure at this moment can leave.
func (p *replay) moment() error {
	for _, d := range p.candidates() {
		if err := p.learn(d); err != nil {
			return err
		}
		for _, c := range cuts(d.pending, p.random, p.r) {
			if p.looked >= p.limit || p.r.Float64() >= p.share {
				continue
			}
			if err := p.consider(d, d.cut(c, p.r), c.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// learn finds out what the file shows if all writes reach the disk. Only the
// kind group needs it.
func (p *replay) learn(d *disk) (err error) {
	if p.w.kind != "group" {
		return nil
	}
	if d.before.Digest == "" {
		if d.before, err = p.ask.answer(&d.base, question{Acked: p.acked, Learn: true}); err != nil {
			return err
		}
	}
	full := d.base.clone()
	for _, w := range append(d.dropped[:len(d.dropped):len(d.dropped)], d.pending...) {
		full.apply(w)
	}
	if d.after, err = p.ask.answer(full, question{Acked: p.acked, Learn: true}); err != nil {
		return err
	}
	for _, a := range []reply{d.before, d.after} {
		if a.Bad != "" {
			p.wrong.addFirst(a.Bad, "everything", p.acked)
		}
	}
	for i, rounds := range atLeast(p.acked) {
		if d.before.At[i] < rounds {
			p.wrong.addFirst("acknowledged before it was durable", "nothing", p.acked)
		}
	}
	return nil
}

// consider checks an image unless it was checked before.
func (p *replay) consider(d *disk, im *image, name string) error {
	sum := maphash.Bytes(hashSeed, im.data) ^ uint64(im.size)
	if _, ok := p.seen[sum]; ok {
		return nil
	}
	p.seen[sum] = struct{}{}
	if _, known := distinct.LoadOrStore(sum, true); !known {
		p.images++
	}
	p.looked++
	return p.look(d, im, name)
}

// look gives the image to a checker.
func (p *replay) look(d *disk, im *image, name string) error {
	q := question{Acked: p.acked, GoOn: p.r.IntN(p.deep) == 0, Before: d.before.Digest, After: d.after.Digest}
	if q.GoOn {
		p.continued++
	}
	return p.ask.ask(im, q, func(bad string) { p.wrong.addFirst(bad, name, q.Acked) })
}
