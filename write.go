package seshat

import (
	"context"
	"errors"
	"sync"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// change is one write to one session, while it is planned: what is stored,
// what a call makes of it, and what follows. It is built anew for each run of
// a plan.
type change struct {
	t    *Tenant
	id   string
	view driver.View
	now  int64
	ns   *Namespace
	s    *stored // the live session, what is overdue applied; nil = none
	old  Status  // as stored

	bytes uint64 // driver.Record.Bytes as stored
	put   bool   // s is to be stored
	moved bool   // time moved the status
	kind  driver.EventKind
	out   driver.Change

	// What the call adds, for the namespace's quotas.
	addSessions, addMessages uint64

	rec driver.Record
}

// bodies keeps the buffers that records are encoded into; a driver is done
// with them when Mutate returns.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// errNeedUsage makes write plan once more with the namespace's usage at hand.
var errNeedUsage = errors.New("usage needed")

// write plans fn on the session at id and commits what it decides. It returns
// the session as it is then, or nil where there is none.
func (t *Tenant) write(ctx context.Context, op, id string, target driver.Target, fn func(*change) error) (*Session, error) {
	if err := t.ready(ctx, id); err != nil {
		return nil, t.fail(op, id, err)
	}
	target.Key = driver.Key{Namespace: t.ord, ID: id}
	target.Entries = append([]driver.EntryKey{namespaceKey(t.id)}, target.Entries...)
	target.Usage = t.last.Load().ns.Quotas != NamespaceQuotas{}
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	for {
		var s *Session
		err := t.s.mutate(ctx, target, func(v driver.View) (driver.Change, error) {
			c := &change{t: t, id: id, view: v, now: v.Now}
			out, err := c.plan(fn, buf)
			if s = nil; c.s != nil {
				s = &c.s.Session
			}
			return out, err
		})
		if errors.Is(err, errNeedUsage) && !target.Usage {
			target.Usage = true
			continue
		}
		if err != nil {
			return nil, t.fail(op, id, err)
		}
		return s, nil
	}
}

// ready refuses what no call on a session can use.
func (t *Tenant) ready(ctx context.Context, id string) error {
	if err := ready(ctx); err != nil {
		return err
	}
	return checkName("session_id", id)
}

func (c *change) plan(fn func(*change) error, buf *[]byte) (driver.Change, error) {
	if err := c.load(); err != nil {
		return driver.Change{}, err
	}
	if err := fn(c); err != nil {
		return driver.Change{}, err
	}
	return c.finish(buf)
}

// load reads the namespace and the session, and lets time do what is overdue.
func (c *change) load() (err error) {
	if c.ns, err = c.t.decode(c.view.Entries[0]); err != nil {
		return err
	}
	rec := c.view.Record
	if rec == nil || rec.Expires <= c.now {
		return nil
	}
	if c.s, err = decodeStored(rec, c.t.id, c.t.org); err != nil {
		return err
	}
	c.old, c.bytes = Status(c.s.course.Status), rec.Bytes
	c.advance()
	return nil
}

// advance applies overdue idling and archiving.
func (c *change) advance() {
	if !c.s.course.Advance(c.now) {
		return
	}
	c.moved, c.put = true, true
	c.s.LastMove = Move{At: instant(c.s.course.StatusAt), Reason: "no activity", Actor: sweepActor}
}

// live returns the session. ErrNotFound: there is none.
func (c *change) live() (*stored, error) {
	if c.s == nil {
		return nil, ErrNotFound
	}
	return c.s, nil
}

// writable returns the session if it takes writes. ErrNotFound, ErrReadOnly.
func (c *change) writable() (*stored, error) {
	s, err := c.live()
	if err != nil {
		return nil, err
	}
	if !s.course.Status.Writable() {
		return nil, readOnlyError{Status(s.course.Status)}
	}
	return s, nil
}

// store notes that the session was written, as an event of kind; 0 is none.
func (c *change) store(kind driver.EventKind) {
	c.s.updated = max(c.s.updated, c.now) // a restored session may come from a clock ahead
	c.s.course.Write(c.now)
	c.put, c.kind = true, kind
}

// finish completes the driver's change, within the namespace's quotas.
func (c *change) finish(buf *[]byte) (driver.Change, error) {
	if c.s != nil && c.put {
		if err := c.putSession(buf); err != nil {
			return driver.Change{}, err
		}
	}
	c.trimFeed(c.t.s.opts.FeedEvents)
	return c.out, nil
}

func (c *change) putSession(buf *[]byte) error {
	now := Status(c.s.course.Status)
	if c.moved && now != c.old {
		c.s.Version++
	}
	c.s.publish()
	c.encode(c.t.ord, buf)
	if c.kind == eventCreated || c.kind == eventUpdated || c.kind == eventAppended {
		// What adds no content of the caller's is no matter of quotas: a full
		// namespace could not even end its sessions.
		if err := c.ns.admit(&c.view, c.addSessions, c.addMessages, c.s.bytes-min(c.bytes, c.s.bytes)); err != nil {
			return err
		}
	}
	c.out.Put = &c.rec
	if now != c.old && c.kind != eventCreated && c.kind != eventTransitioned {
		c.event(eventTransitioned)
	}
	if c.kind != 0 {
		c.event(c.kind)
	}
	return nil
}

// encode makes the driver's record of the session.
func (c *change) encode(namespace uint64, buf *[]byte) {
	s := c.s
	old := 0
	if r := c.view.Record; r != nil && r.Incarnation == s.incarnation {
		old = len(r.Body)
	}
	*buf = encodeBody((*buf)[:0], s)
	s.bytes += uint64(len(*buf)) - uint64(old)
	s.filed = rules.File(s.filed, s.course.Next())
	c.rec = driver.Record{
		Key:         driver.Key{Namespace: namespace, ID: s.ID},
		Incarnation: s.incarnation, Version: s.Version, NextSeq: s.LastSeq + 1,
		User: s.UserID, Status: uint8(s.course.Status), Labels: sortedLabels(s.Labels),
		Created: s.course.Created, ActiveMinute: s.course.Active / 60_000,
		Due: s.filed, Expires: s.course.Expires,
		Messages: s.MessageCount, Bytes: s.bytes, Body: *buf,
	}
}

func (c *change) event(kind driver.EventKind) {
	c.out.Events = append(c.out.Events, driver.Event{
		Time: c.now, ID: c.s.ID, Kind: kind, Status: uint8(c.s.course.Status),
		Version: c.s.Version, LastSeq: c.s.LastSeq,
	})
}

// expired reports the end of a session that no sweep has removed yet.
func (c *change) expired(r *driver.Record) {
	c.out.Events = append(c.out.Events, driver.Event{
		Time: c.now, ID: c.id, Kind: eventExpired, Status: r.Status, Version: r.Version, LastSeq: r.NextSeq - 1,
	})
}

// trimStep is how many events over the limit one write removes at most: more
// than it adds, so that the feed shrinks to a lowered limit, and more than
// writers of other processes add meanwhile, who remove the same ones.
const trimStep = 128

// trimFeed keeps the feed within limit events.
func (c *change) trimFeed(limit uint64) {
	added := uint64(len(c.out.Events))
	held := c.view.FeedHead + added - c.view.FeedTail
	if added > 0 && held > limit {
		c.out.TrimFeed = min(c.view.FeedTail+min(held-limit, trimStep), c.view.FeedHead)
	}
}

// admit enforces the namespace's quotas on what a call adds to v.
func (n *Namespace) admit(v *driver.View, sessions, messages, bytes uint64) error {
	q := n.Quotas
	if q == (NamespaceQuotas{}) {
		return nil
	}
	if v.Live == nil {
		return errNeedUsage
	}
	// The stored counters are an upper bound, and cheap: only where they
	// refuse is the exact count worth its walk.
	if q.exceeded(usageOf(v.Usage), sessions, messages, bytes) == nil {
		return nil
	}
	u, err := v.Live()
	if err != nil {
		return err
	}
	return q.exceeded(usageOf(u), sessions, messages, bytes)
}
