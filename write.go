package seshat

import (
	"context"
	"errors"
	"sync"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// sessionWrite is one write to one session, while it is planned: what is stored,
// what a call makes of it, and what follows. It is built anew for each run of
// a plan.
type sessionWrite struct {
	tenant    *Tenant
	id        string
	view      driver.View
	now       int64
	ns        *Namespace
	session   *storedSession // the live session, what is overdue applied; nil = none
	oldStatus Status         // as stored

	oldBytes    uint64 // driver.Record.Bytes as stored
	dirty       bool   // s is to be stored
	statusMoved bool   // time moved the status
	eventKind   driver.EventKind
	out         driver.Change

	// What the call adds, for the namespace's quotas.
	addSessions, addMessages uint64

	rec driver.Record
}

// bodyBuffers keeps the buffers that records are encoded into; a driver is done
// with them when Mutate returns.
var bodyBuffers = sync.Pool{New: func() any { return new([]byte) }}

// writeSession plans fn on the session at id and commits what it decides. It returns
// the session as it is then, or nil where there is none.
func (t *Tenant) writeSession(ctx context.Context, op, id string, target driver.Target, fn func(*sessionWrite) error) (*Session, error) {
	if err := t.checkCall(ctx, id); err != nil {
		return nil, t.wrapError(op, id, err)
	}
	target.Key = driver.Key{Namespace: t.ordinal, ID: id}
	target.Entries = append([]driver.EntryKey{namespaceKey(t.id)}, target.Entries...)
	target.Usage = t.cache.Load().ns.Quotas != NamespaceQuotas{}
	buf := bodyBuffers.Get().(*[]byte)
	defer bodyBuffers.Put(buf)
	for {
		var s *Session
		err := t.store.mutate(ctx, target, func(v driver.View) (driver.Change, error) {
			c := &sessionWrite{tenant: t, id: id, view: v, now: v.Now}
			out, err := c.run(fn, buf)
			if s = nil; c.session != nil {
				s = &c.session.Session
			}
			return out, err
		})
		if errors.Is(err, errNeedUsage) && !target.Usage {
			target.Usage = true
			continue
		}
		if err != nil {
			return nil, t.wrapError(op, id, err)
		}
		return s, nil
	}
}

func (c *sessionWrite) run(fn func(*sessionWrite) error, buf *[]byte) (driver.Change, error) {
	if err := c.load(); err != nil {
		return driver.Change{}, err
	}
	if err := fn(c); err != nil {
		return driver.Change{}, err
	}
	return c.build(buf)
}

// load reads the namespace and the session, and lets time do what is overdue.
func (c *sessionWrite) load() (err error) {
	if c.ns, err = c.tenant.cachedNamespace(c.view.Entries[0]); err != nil {
		return err
	}
	rec := c.view.Record
	if rec == nil || rec.Expires <= c.now {
		return nil
	}
	if c.session, err = decodeStoredSession(rec, c.tenant.id, c.tenant.organization); err != nil {
		return err
	}
	c.oldStatus, c.oldBytes = Status(c.session.timeline.Status), rec.Bytes
	c.applyDue()
	return nil
}

// applyDue applies overdue idling and archiving.
func (c *sessionWrite) applyDue() {
	if !c.session.timeline.ApplyDue(c.now) {
		return
	}
	c.statusMoved, c.dirty = true, true
	c.session.LastTransition = Transition{At: timeFromMillis(c.session.timeline.StatusAt), Reason: "no activity", Actor: sweepActor}
}

// requireLive returns the session. ErrNotFound: there is none.
func (c *sessionWrite) requireLive() (*storedSession, error) {
	if c.session == nil {
		return nil, ErrNotFound
	}
	return c.session, nil
}

// requireWritable returns the session if it takes writes. ErrNotFound, ErrReadOnly.
func (c *sessionWrite) requireWritable() (*storedSession, error) {
	s, err := c.requireLive()
	if err != nil {
		return nil, err
	}
	if !s.timeline.Status.Writable() {
		return nil, readOnlyError{Status(s.timeline.Status)}
	}
	return s, nil
}

// markWritten notes that the session was written, as an event of kind; 0 is none.
func (c *sessionWrite) markWritten(kind driver.EventKind) {
	c.session.updated = max(c.session.updated, c.now) // a restored session may come from a clock ahead
	c.session.timeline.RecordWrite(c.now)
	c.dirty, c.eventKind = true, kind
}

// build completes the driver's change, within the namespace's quotas.
func (c *sessionWrite) build(buf *[]byte) (driver.Change, error) {
	if c.session != nil && c.dirty {
		if err := c.encodePut(buf); err != nil {
			return driver.Change{}, err
		}
	}
	c.trimFeed(c.tenant.store.opts.FeedEvents)
	return c.out, nil
}

func (c *sessionWrite) encodePut(buf *[]byte) error {
	now := Status(c.session.timeline.Status)
	if c.statusMoved && now != c.oldStatus {
		c.session.Version++
	}
	c.session.publish()
	c.encodeRecord(c.tenant.ordinal, buf)
	if c.eventKind == eventCreated || c.eventKind == eventUpdated || c.eventKind == eventAppended {
		// What adds no content of the caller's is no matter of quotas: a full
		// namespace could not even end its sessions.
		if err := c.ns.checkQuota(&c.view, c.addSessions, c.addMessages, c.session.bytes-min(c.oldBytes, c.session.bytes)); err != nil {
			return err
		}
	}
	c.out.Put = &c.rec
	if now != c.oldStatus && c.eventKind != eventCreated && c.eventKind != eventTransitioned {
		c.addEvent(eventTransitioned)
	}
	if c.eventKind != 0 {
		c.addEvent(c.eventKind)
	}
	return nil
}

// encodeRecord makes the driver's record of the session.
func (c *sessionWrite) encodeRecord(namespace uint64, buf *[]byte) {
	s := c.session
	old := 0
	if r := c.view.Record; r != nil && r.Incarnation == s.incarnation {
		old = len(r.Body)
	}
	*buf = encodeSession((*buf)[:0], s)
	s.bytes += uint64(len(*buf)) - uint64(old)
	s.filedDue = rules.RefileDue(s.filedDue, s.timeline.NextDeadline())
	c.rec = driver.Record{
		Key:         driver.Key{Namespace: namespace, ID: s.ID},
		Incarnation: s.incarnation, Version: s.Version, NextSeq: s.LastSeq + 1,
		User: s.UserID, Status: uint8(s.timeline.Status), Labels: driverLabels(s.Labels),
		Created: s.timeline.Created, ActiveMinute: s.timeline.Active / 60_000,
		Due: s.filedDue, Expires: s.timeline.Expires,
		Messages: s.MessageCount, Bytes: s.bytes, Body: *buf,
	}
}

func (c *sessionWrite) addEvent(kind driver.EventKind) {
	c.out.Events = append(c.out.Events, driver.Event{
		Time: c.now, ID: c.session.ID, Kind: kind, Status: uint8(c.session.timeline.Status),
		Version: c.session.Version, LastSeq: c.session.LastSeq,
	})
}

// addExpired reports the end of a session that no sweep has removed yet.
func (c *sessionWrite) addExpired(r *driver.Record) {
	c.out.Events = append(c.out.Events, driver.Event{
		Time: c.now, ID: c.id, Kind: eventExpired, Status: r.Status, Version: r.Version, LastSeq: r.NextSeq - 1,
	})
}

// trimStep is how many events over the limit one write removes at most: more
// than it adds, so that the feed shrinks to a lowered limit, and more than
// writers of other processes add meanwhile, who remove the same ones.
const trimStep = 128

// trimFeed keeps the feed within limit events.
func (c *sessionWrite) trimFeed(limit uint64) {
	added := uint64(len(c.out.Events))
	held := c.view.FeedHead + added - c.view.FeedTail
	if added > 0 && held > limit {
		c.out.TrimFeed = min(c.view.FeedTail+min(held-limit, trimStep), c.view.FeedHead)
	}
}
