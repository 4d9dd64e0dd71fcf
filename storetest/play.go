package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// runModel makes random calls on the store and on the model and compares every
// answer. Each run has its own options. If a run fails, the test shortens it
// and prints the command that repeats the short run. -storetest.steps and
// -storetest.runs make runs longer and more numerous.
func runModel(t *testing.T, h Harness) {
	first := *seed
	if first == 0 {
		first = 1
	}
	played := 0
	for n := first; n < first+uint64(*runs); n++ {
		t.Run(fmt.Sprintf("seed=%d", n), func(t *testing.T) {
			p := newPlayer(t, h, n)
			steps := stepsOf(*only, *steps)
			for _, p.step = range steps {
				p.turn()
			}
			p.compareAll()
			played += len(steps)
			if *only == "" && p.hits < len(steps)/8 {
				t.Errorf("only %d of %d steps met a session", p.hits, len(steps))
			}
		})
	}
	t.Logf("seed %d: %d model ops", first, played)
}

// player plays one run.
type player struct {
	*env
	seed     uint64
	r        *rand.Rand // seeded anew for each step, so that steps can be left out
	m        model
	tenants  map[string]*seshat.Tenant
	step     int
	hits     int       // calls that found a live session
	latest   time.Time // lower bound of the store's time
	sweeping bool      // the background sweeper runs, at unknown times
	trace    []string
}

var (
	modelSpaces = []string{"a", "ab", "a/b"}
	modelUsers  = []string{"", "u", "uv", "u/v"}
	modelIDs    = []string{"s", "st", "s/t", "\U0010ffff"}
)

func newPlayer(t *testing.T, h Harness, seed uint64) *player {
	p := &player{seed: seed, tenants: map[string]*seshat.Tenant{}}
	p.r = rand.New(rand.NewPCG(seed, 0))
	p.env = newEnv(t, h, p.options())
	p.sweeping = p.o.SweepEvery != seshat.Never
	p.m.spaces = map[string]map[string]*modelSession{}
	p.m.states = map[string]map[string]map[string]int64{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last of the steps up to %d:\n%s", p.step, tail(p.trace, 12))
			if *only == "" {
				shrink(t, seed, p.step)
			}
		}
	})
	for _, space := range modelSpaces {
		p.m.empty(space)
		p.tenants[space] = p.tenant(space)
	}
	return p
}

// options returns the options of the run. The first run has those of the suite,
// and the others differ.
func (p *player) options() (o seshat.Options) {
	if p.seed == 1 {
		return o
	}
	if p.r.IntN(2) == 0 {
		o.Lifecycle = p.lifecycle()
	}
	if p.r.IntN(3) == 0 {
		o.SweepEvery = ms
	}
	o.FeedEvents = p.r.Uint64N(3) * 20
	o.FeedAge = pick(p, []time.Duration{0, seshat.Never, hour})
	o.File.VerifyLimit = pick(p, []int64{0, -1, 1})
	return o
}

func tail(lines []string, n int) (s string) {
	for _, l := range lines[max(0, len(lines)-n):] {
		s += l + "\n"
	}
	return s
}

func (p *player) log(format string, args ...any) {
	p.trace = append(p.trace, p.clock.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func pick[T any](p *player, from []T) T { return from[p.r.IntN(len(from))] }

// turn lets a random time pass and makes one random call.
func (p *player) turn() {
	p.r = rand.New(rand.NewPCG(p.seed, uint64(1+p.step)))
	p.passTime()
	kind := pick(p, callKinds)
	c := call{p: p, name: kind.name, space: pick(p, modelSpaces), id: pick(p, modelIDs), now: p.now()}
	if kind.name != "create" && p.r.IntN(4) > 0 {
		c.chooseLive()
	}
	c.t = p.tenants[c.space]
	p.log("%v", &c)
	kind.do(&c)
}

// passTime moves the clock forwards, and sometimes backwards.
func (p *player) passTime() {
	switch n := p.r.IntN(40); {
	case n < 24:
	case n < 33:
		p.clock.Advance(time.Duration(p.r.IntN(20_000)) * ms)
	case n < 35:
		p.clock.Advance(time.Duration(p.r.IntN(4)) * minute)
	case n < 36:
		p.turnBack(time.Duration(p.r.IntN(600)) * time.Second)
	default:
		p.toDeadline()
	}
	// The sweeper may run at any time. To make that irrelevant, sweep all now.
	if p.sweeping {
		now := p.now()
		p.env.sweep()
		p.m.sweep(now)
	}
}

// turnBack moves the clock back after the store has seen the current time.
func (p *player) turnBack(d time.Duration) {
	space := modelSpaces[0]
	n := int64(p.step)
	p.now()
	p.must(p.tenants[space].MergeState(p.ctx, seshat.NamespaceScope(), map[string]any{"clock": n}))
	p.m.state(space, namespaceScope)["clock"] = n
	p.clock.Advance(-d)
}

// now returns the store's time, which never runs backwards.
func (p *player) now() time.Time {
	if now := p.clock.Now(); now.After(p.latest) {
		p.latest = now
	}
	return p.latest
}

// toDeadline moves the clock to the next deadline of any session, or to the
// millisecond before it.
func (p *player) toDeadline() {
	now := p.now()
	next := farFuture
	for _, space := range p.m.spaces {
		for _, s := range space {
			for _, at := range []time.Time{s.end(), s.idles(), s.archives()} {
				if at.After(now) && s.alive(now) {
					next = earlier(next, at)
				}
			}
		}
	}
	if next.Sub(now) > hour { // would end nearly all sessions
		return
	}
	if p.r.IntN(2) == 0 && next.Add(-ms).After(now) {
		next = next.Add(-ms)
	}
	p.clock.Set(next) // moves only once, because a background sweeper may look at any time
}

func (p *player) duration() time.Duration {
	return pick(p, []time.Duration{
		0, seshat.Never, seshat.Never, 5 * minute, hour, day, time.Duration(1+p.r.IntN(1_200_000)) * ms,
	})
}

func (p *player) lifecycle() seshat.Lifecycle {
	return seshat.Lifecycle{
		TTL: p.duration(), Expiry: pick(p, []seshat.Expiry{0, seshat.ExpirySliding, seshat.ExpiryAbsolute}),
		MaxLifetime: p.duration(),
		IdleAfter:   p.duration(), ArchiveAfter: p.duration(), Retention: p.duration(),
	}
}

// resolved fills in the run's options and the defaults.
func (p *player) resolved(l seshat.Lifecycle) seshat.Lifecycle {
	or := func(d *time.Duration, option, base time.Duration) {
		if *d == 0 {
			*d = option
		}
		if *d == 0 {
			*d = base
		}
	}
	o := p.o.Lifecycle
	or(&l.TTL, o.TTL, 7*day)
	or(&l.MaxLifetime, o.MaxLifetime, seshat.Never)
	or(&l.IdleAfter, o.IdleAfter, seshat.Never)
	or(&l.ArchiveAfter, o.ArchiveAfter, seshat.Never)
	or(&l.Retention, o.Retention, 7*day)
	if l.Expiry == 0 {
		l.Expiry = o.Expiry
	}
	if l.Expiry == 0 {
		l.Expiry = seshat.ExpirySliding
	}
	return l
}

// compareAll compares all lists, counts and sessions.
func (p *player) compareAll() {
	p.Helper()
	for _, space := range modelSpaces {
		p.compareSpace(space)
	}
}

func (p *player) compareSpace(space string) {
	p.Helper()
	t := p.tenants[space]
	now := p.now()
	for _, q := range []seshat.Query{
		{},
		{Order: seshat.OrderByActivity, OldestFirst: true},
		{UserID: pick(p, modelUsers), Limit: 1},
		{Statuses: []seshat.Status{pick(p, allStatuses)}},
		{Labels: map[string]string{"k": pick(p, modelUsers)}, Limit: 2},
	} {
		want := p.m.list(space, q, now)
		if got := p.ids(t, q); !slices.Equal(got, want) {
			p.Fatalf("step %d: list of %+v in %q: got %q, want %q", p.step, q, space, got, want)
		}
		equal(p.env, fmt.Sprintf("step %d: count of %+v in %q", p.step, q, space), p.count(t, q), uint64(len(want)))
	}
	var u seshat.Usage
	for _, s := range p.m.all(space, now) {
		p.compare(space, s, p.get(t, s.id))
		u.Messages += s.messages
	}
	got, err := t.Usage(p.ctx)
	p.must(err)
	equal(p.env, fmt.Sprintf("step %d: messages of %q", p.step, space), got.Messages, u.Messages)
}

// compare compares a session with the model's.
func (p *player) compare(space string, want *modelSession, got *seshat.Session) {
	p.Helper()
	end := want.end()
	if end.Equal(farFuture) || end.After(farFuture) {
		end = time.Time{}
	}
	a := modelSession{
		id: got.ID, user: got.UserID, name: got.Name, label: got.Labels["k"], status: got.Status,
		created: got.CreatedAt,
		active:  got.LastActivityAt, terminated: got.TerminatedAt, life: got.Lifecycle, version: got.Version,
		messages: got.MessageCount, labelled: len(got.Labels) > 0,
	}
	b := *want
	b.written = time.Time{}
	b.since = time.Time{}
	b.log = nil
	if a != b || !got.ExpiresAt.Equal(end) || got.NamespaceID != p.tenants[space].ID() {
		p.Fatalf("step %d: session %q in %q:\ngot  %+v, end %v\nwant %+v, end %v", p.step, want.id, space, a,
			got.ExpiresAt, b, end)
	}
}
