package drivertest

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

var (
	seedFlag  = flag.Uint64("drivertest.seed", 0, "play the model test with this seed alone")
	stepsFlag = flag.Int("drivertest.steps", 150, "steps of each play of the model test")
)

// runModel plays random ops, with the seeds 1 to 4 or with the seed of the
// flag.
func runModel(t *testing.T, h Harness) {
	seeds := []uint64{1, 2, 3, 4}
	if *seedFlag != 0 {
		seeds = []uint64{*seedFlag}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			if err := playModel(t, h, seed, *stepsFlag); err != nil {
				t.Errorf("%v\nreplay with -drivertest.seed=%d -drivertest.steps=%d", err, seed, *stepsFlag)
			}
		})
	}
}

// play is a driver and its model.
type play struct {
	*env
	rng    *rand.Rand
	m      *model
	spaces []uint64 // namespaces in use
	gone   []uint64 // erased namespaces
}

// playModel plays that many random steps and returns the first difference.
func playModel(tb testing.TB, h Harness, seed uint64, steps int) (err error) {
	step := 0
	defer func() {
		if err != nil {
			err = fmt.Errorf("step %d: %w", step, err)
		}
	}()
	defer catch(&err)
	p := &play{env: newEnv(tb, h), rng: rand.New(rand.NewPCG(seed, 0)), m: newModel(), spaces: []uint64{1, 2, 256}}
	for ; step < steps; step++ {
		if step == steps/2 {
			p.switchToCopy()
		}
		p.step()
		p.rescan()
		p.audit()
	}
	p.reclaimAll()
	p.rescan()
	p.audit()
	return nil
}

func (p *play) step() {
	p.now.Add(p.rng.Int64N(40))
	switch n := p.rng.IntN(100); {
	case n < 70:
		p.mutateSome()
	case n < 78:
		p.stageSome()
	case n < 83:
		p.adoptSome()
	case n < 88:
		p.eraseUser()
	case n < 90:
		p.eraseSpace()
	case n < 95:
		p.reclaimSome()
	case n < 97:
		p.reclaimAll()
	default:
		if p.h.Reopen != nil {
			p.reopen()
		}
	}
}

// switchToCopy replaces the driver by a copy, if it can be copied. Erasures
// that were not yet reported are lost.
func (p *play) switchToCopy() {
	if p.moveToCopy(func() int { return 1 + p.rng.IntN(20) }) {
		p.rescan()
		clear(p.m.erased)
	}
}

// played is one op of a step: the view and the outcome of its last Plan.
type played struct {
	*driver.Op
	view   driver.View
	live   driver.Usage
	change driver.Change
	want   error
}

func (p *play) newPlayed() *played {
	n := pick(p.rng, p.spaces)
	t := randomTarget(p.rng, n, 8)
	seed := p.rng.Uint64()
	d := &played{}
	d.Op = p.plan(t, func(v driver.View) (driver.Change, error) {
		rng := rand.New(rand.NewPCG(seed, 1))
		d.view = cloneView(&v)
		if v.Live != nil {
			live, err := v.Live()
			if err != nil {
				return driver.Change{}, err
			}
			d.live = live
		}
		d.change = p.randomChange(rng, t, d.view)
		d.want = p.disturbPlan(rng, d)
		if d.want == errPlan {
			return d.change, errPlan
		}
		return d.change, nil
	})
	return d
}

// disturbPlan sometimes makes an op fail. It returns the error, if any.
func (p *play) disturbPlan(rng *rand.Rand, d *played) error {
	c := &d.change
	switch rng.IntN(14) {
	case 0:
		return errPlan
	case 1:
		c.Events = append(c.Events, driver.Event{ID: tooLong})
		return driver.ErrInvalid
	case 2:
		if c.Put != nil {
			c.Put.Status = driver.Statuses
			return driver.ErrInvalid
		}
	case 3:
		if c.Put != nil && len(c.Append) == 0 && len(c.Drop) == 0 {
			c.Replace = append(c.Replace, driver.Message{Seq: 1 << 40})
			return driver.ErrNotFound
		}
	case 4:
		*c = driver.Change{}
	}
	return nil
}

// mutateSome runs one or several ops on the driver, and then on the model.
func (p *play) mutateSome() {
	var all []*played
	var ops []*driver.Op
	for range 1 + p.rng.IntN(1+p.rng.IntN(6)) {
		d := p.newPlayed()
		all = append(all, d)
		ops = append(ops, d.Op)
	}
	err := p.d.Mutate(p.ctx, ops...)
	var first error
	for _, d := range all {
		p.compareView(d)
		if (d.want == nil) != (d.Err == nil) || !errors.Is(d.Err, d.want) {
			fail(1, "an op ended with %v, want %v", d.Err, d.want)
		}
		if first == nil {
			first = d.Err
		}
		if d.want == nil {
			p.m.apply(d.Target.Key, d.change)
		}
	}
	p.isTrue(errors.Is(err, first) && (err == nil) == (first == nil), "Mutate returned %v, want %v", err, first)
}

func (p *play) compareView(d *played) {
	want := p.m.view(d.Target)
	p.equal("View.Record", d.view.Record, want.Record)
	p.equal("View.Refs", d.view.Refs, want.Refs)
	p.equal("View.Messages", d.view.Messages, want.Messages)
	p.equal("View.Span", d.view.Span, want.Span)
	p.equal("View.Entries", d.view.Entries, want.Entries)
	p.equal("View.FeedHead, FeedTail", []uint64{d.view.FeedHead, d.view.FeedTail},
		[]uint64{want.FeedHead, want.FeedTail})
	p.equal("View.Now", d.view.Now, p.now.Load())
	if d.Target.Usage {
		q := driver.Query{Namespace: d.Target.Key.Namespace, Now: -1}
		p.equal("View.Usage", d.view.Usage, counted(p.m.records(), q))
		q.Now = d.view.Now
		p.equal("View.Live", d.live, counted(p.m.records(), q))
	}
}

func (p *play) run(k driver.Key, c driver.Change) {
	p.change(k, c)
	p.m.apply(k, c)
}

func (p *play) stageSome() {
	l := newModelLog(pick(p.rng, p.spaces), p.incarnation())
	if len(p.m.staged) > 0 && p.rng.IntN(2) == 0 {
		l = pick(p.rng, p.m.staged)
	}
	c := driver.Change{Stage: l.incarnation, StageUntil: p.now.Load() + p.rng.Int64N(300)}
	for range p.rng.IntN(4) {
		seq := uint64(len(l.messages)+len(c.Append)) + 1
		c.Append = append(c.Append, message(seq, fmt.Sprintf("m%d", seq), string(randomBody(p.rng))))
	}
	p.run(key(l.namespace, ""), c)
}

func (p *play) adoptSome() {
	if len(p.m.staged) == 0 {
		return
	}
	l := pick(p.rng, p.m.staged)
	r := p.record(key(l.namespace, pick(p.rng, modelIDs)))
	r.Incarnation = l.incarnation
	r.NextSeq = uint64(len(l.messages)) + 1
	for _, m := range l.messages {
		r.Messages++
		r.Bytes += uint64(len(m.Body))
	}
	scramble(p.rng, r, p.now.Load())
	p.run(r.Key, driver.Change{Put: r})
}

func (p *play) eraseUser() {
	n := pick(p.rng, p.spaces)
	p.run(key(n, ""), erasing(n, pick(p.rng, modelUsers[1:])))
}

// eraseSpace erases a namespace and replaces it by a new one.
func (p *play) eraseSpace() {
	i := p.rng.IntN(len(p.spaces))
	n := p.spaces[i]
	p.run(driver.Key{}, erasing(n, ""))
	p.gone = append(p.gone, n)
	p.spaces[i] = slices.Max(p.spaces) + 1
}

// dropOverdueStages removes staged logs from the model that Reclaim may remove.
func (p *play) dropOverdueStages() {
	p.m.expireStaged(func(l *modelLog) bool { return l.until <= p.now.Load() })
}

func (p *play) reclaimSome() {
	p.dropOverdueStages()
	r, err := p.d.Reclaim(p.ctx, p.now.Load(), 1+p.rng.IntN(20))
	p.must(err)
	for _, n := range r.Erased {
		p.subtractErased(n)
	}
}

// subtractErased subtracts reclaimed data from the totals that the model
// expects.
func (p *play) subtractErased(n driver.Erased) {
	left := p.m.erased[n.Erasure]
	left.Sessions -= n.Sessions
	left.Messages -= n.Messages
	left.Bytes -= n.Bytes
	left.Entries -= n.Entries
	p.m.erased[n.Erasure] = left
}

// reclaimAll reclaims everything and compares the totals. If a user and then
// its namespace were erased, the user's data may count for either.
func (p *play) reclaimAll() {
	p.dropOverdueStages()
	for _, n := range p.reclaim(1 + p.rng.IntN(50)) {
		p.subtractErased(n)
	}
	for e, left := range p.m.erased {
		if slices.Contains(p.gone, e.Namespace) {
			continue
		}
		p.equal("erased and not reported", left, driver.Erased{Erasure: left.Erasure})
	}
	clear(p.m.erased)
}
