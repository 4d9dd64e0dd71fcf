package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seshatdb/seshat"
)

// call is one random call by a player.
type call struct {
	p         *player
	space, id string
	t         *seshat.Tenant
	now       time.Time
	name      string
}

// callKinds are the calls of a player. Each is made as often as it is listed.
var callKinds = []struct {
	name string
	do   func(*call)
}{
	{"create", (*call).create},
	{"create", (*call).create},
	{"create", (*call).create},
	{"ensure", (*call).ensure},
	{"get", (*call).get},
	{"get", (*call).get},
	{"touch", (*call).touch},
	{"touch", (*call).touch},
	{"update", (*call).update},
	{"update", (*call).update},
	{"edit lifecycle", (*call).editLifecycle},
	{"transition", (*call).transition},
	{"transition", (*call).transition},
	{"transition", (*call).transition},
	{"append", (*call).append},
	{"append", (*call).append},
	{"append", (*call).append},
	{"history", (*call).history},
	{"history", (*call).history},
	{"repeat", (*call).repeat},
	{"truncate", (*call).truncate},
	{"delete message", (*call).deleteMessage},
	{"merge", (*call).merge},
	{"merge", (*call).merge},
	{"state", (*call).state},
	{"stale update", (*call).staleUpdate},
	{"delete", (*call).delete},
	{"sweep", (*call).sweep},
	{"dry run", (*call).dryRun},
	{"compare", (*call).compare},
	{"compare", (*call).compare},
	{"delete user", (*call).deleteUser},
	{"rare", (*call).recreateOrReopen},
}

func (c *call) String() string { return fmt.Sprintf("%s %q/%q", c.name, c.space, c.id) }

// chooseLive chooses a live session, if there is one.
func (c *call) chooseLive() {
	var live [][2]string
	for _, space := range modelSpaces {
		for _, id := range modelIDs {
			if c.p.m.live(space, id, c.now) != nil {
				live = append(live, [2]string{space, id})
			}
		}
	}
	if len(live) > 0 {
		at := pick(c.p, live)
		c.space = at[0]
		c.id = at[1]
	}
}

// findSession returns the model's session. If there is none, it checks that err
// says so.
func (c *call) findSession(err error) *modelSession {
	c.p.Helper()
	s := c.p.m.live(c.space, c.id, c.now)
	if s == nil {
		c.want(err, seshat.ErrNotFound)
		return nil
	}
	c.p.hits++
	return s
}

func (c *call) want(err, want error) {
	c.p.Helper()
	if !errors.Is(err, want) {
		c.p.Fatalf("step %d: %s of %q/%q: got error %v, want %v", c.p.step, c.name, c.space, c.id, err, want)
	}
}

// beginWrite applies time to the model's session and prepares it for a write.
// If the session refuses writes, it checks that err says so.
func (c *call) beginWrite(err error) (s *modelSession, moved bool) {
	c.p.Helper()
	if s = c.findSession(err); s == nil {
		return nil, false
	}
	before := *s
	if moved = s.settle(c.now); !s.writable() {
		c.want(err, seshat.ErrReadOnly)
		*s = before // a failed call does not apply time
		return nil, false
	}
	c.want(err, nil)
	s.written = c.now
	return s, moved
}

func (c *call) newSession() seshat.NewSession {
	n := seshat.NewSession{ID: c.id, UserID: pick(c.p, modelUsers), Lifecycle: c.p.lifecycle()}
	if c.p.r.IntN(2) == 0 {
		n.Labels = map[string]string{"k": pick(c.p, modelUsers)}
	}
	return n
}

func (c *call) insert(n seshat.NewSession) *modelSession {
	s := &modelSession{
		id: n.ID, user: n.UserID, label: n.Labels["k"], status: seshat.StatusActive, created: c.now, written: c.now,
		active: c.now, since: c.now, life: c.p.resolved(n.Lifecycle), version: 1, log: newModelLog(),
	}
	s.labelled = n.Labels != nil
	c.p.m.spaces[c.space][c.id] = s
	return s
}

func (c *call) create() {
	n := c.newSession()
	got, err := c.t.Create(c.p.ctx, n)
	if c.p.m.live(c.space, c.id, c.now) != nil {
		c.want(err, seshat.ErrExists)
		return
	}
	c.want(err, nil)
	c.p.compare(c.space, c.insert(n), got)
}

func (c *call) ensure() {
	n := c.newSession()
	got, created, err := c.t.Ensure(c.p.ctx, n)
	c.want(err, nil)
	s := c.p.m.live(c.space, c.id, c.now)
	equal(c.p.env, "created", created, s == nil)
	if s == nil {
		s = c.insert(n)
	}
	c.p.compare(c.space, s, got)
}

func (c *call) get() {
	got, err := c.t.Get(c.p.ctx, c.id)
	if s := c.findSession(err); s != nil {
		c.want(err, nil)
		c.p.compare(c.space, s, got)
	}
}

func (c *call) touch() {
	got, err := c.t.Touch(c.p.ctx, c.id)
	if s, moved := c.beginWrite(err); s != nil {
		s.active = c.now
		c.countVersion(s, moved, got)
	}
}

// countVersion updates the model's version, which counts a move by time
// separately, and compares the sessions.
func (c *call) countVersion(s *modelSession, moved bool, got *seshat.Session) {
	c.p.Helper()
	if moved {
		s.version++
	}
	c.p.compare(c.space, s, got)
}

func (c *call) update() {
	name := fmt.Sprint(c.p.step)
	label := pick(c.p, modelUsers)
	got, err := c.t.Update(c.p.ctx, c.id, func(s *seshat.Session) error {
		s.Name = name
		s.Labels = map[string]string{"k": label}
		return nil
	}, seshat.UpdateOptions{})
	if s, moved := c.beginWrite(err); s != nil {
		s.name = name
		s.label = label
		s.labelled = true
		s.version++
		c.countVersion(s, moved, got)
	}
}

func (c *call) editLifecycle() {
	l := c.p.resolved(c.p.lifecycle())
	got, err := c.t.Update(c.p.ctx, c.id, func(s *seshat.Session) error {
		s.Lifecycle = l
		return nil
	}, seshat.UpdateOptions{})
	if s, moved := c.beginWrite(err); s != nil {
		s.life = l
		s.version++
		c.countVersion(s, moved, got)
	}
}

func (c *call) transition() {
	to := pick(c.p, allStatuses)
	got, err := c.t.Transition(c.p.ctx, c.id, to, seshat.TransitionOptions{})
	s := c.findSession(err)
	if s == nil {
		return
	}
	before := *s
	moved := s.settle(c.now)
	switch {
	case s.status == to:
		c.want(err, nil)
	case !slices.Contains(allowed[s.status], to):
		c.want(err, seshat.ErrTransition)
		*s = before
		return
	default:
		c.want(err, nil)
		s.move(to, c.now)
		s.version++
		moved = moved && s.status != before.status // the session may be back in its old status
	}
	c.countVersion(s, moved, got)
}

func (c *call) delete() {
	got, err := c.t.Delete(c.p.ctx, c.id)
	if s := c.findSession(err); s != nil {
		c.want(err, nil)
		equal(c.p.env, "messages erased", got.Messages, s.messages)
		delete(c.p.m.spaces[c.space], c.id)
	}
}

func (c *call) sweep() {
	got := c.p.env.sweep()
	want := c.p.m.sweep(c.now)
	if c.p.sweeping {
		return // the sweeper may have done part of it
	}
	equal(c.p.env, fmt.Sprintf("step %d: expired, idled, archived", c.p.step),
		[3]int{got.Expired, got.Idled, got.Archived}, [3]int{want.Expired, want.Idled, want.Archived})
}

func (c *call) dryRun() {
	got, err := c.p.Sweep(c.p.ctx, seshat.SweepOptions{DryRun: true})
	c.want(err, nil)
	clone := model{spaces: map[string]map[string]*modelSession{}}
	for name, space := range c.p.m.spaces {
		clone.spaces[name] = map[string]*modelSession{}
		for id, s := range space {
			copied := *s
			clone.spaces[name][id] = &copied
		}
	}
	want := clone.sweep(c.now)
	if c.p.sweeping {
		return
	}
	equal(c.p.env, fmt.Sprintf("step %d: foreseen", c.p.step),
		[3]int{got.Expired, got.Idled, got.Archived}, [3]int{want.Expired, want.Idled, want.Archived})
}

func (c *call) compare() { c.p.compareSpace(c.space) }

func (c *call) deleteUser() {
	user := pick(c.p, modelUsers[1:])
	got, err := c.t.DeleteUser(c.p.ctx, user)
	c.want(err, nil)
	// The count may include expired sessions that were not swept, because the
	// engine does not check the time when it erases.
	if want := c.p.m.deleteUser(c.space, user, c.now); got.Sessions < want {
		c.p.Fatalf("step %d: %d sessions of %q erased, want %d", c.p.step, got.Sessions, user, want)
	}
}

// recreateOrReopen recreates the namespace or reopens the store.
func (c *call) recreateOrReopen() {
	p := c.p
	if p.r.IntN(2) == 0 {
		_, err := c.t.DeleteNamespace(p.ctx)
		c.want(err, nil)
		p.tenants[c.space] = p.tenant(c.space)
		p.m.empty(c.space)
		return
	}
	if p.h.Reopen == nil {
		return
	}
	p.clock.Set(p.now())
	p.reopen()
	for _, space := range modelSpaces {
		p.tenants[space] = p.tenant(space)
	}
	p.compareAll()
}
