package seshat

import (
	"context"
	"errors"
	"sync"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// sessionWrite is the plan of one write to one session: the stored session, the
// new one, and the resulting change. The sweeper uses it directly, and calls of
// a tenant use a tenantWrite. Each run of a plan starts anew.
type sessionWrite struct {
	store *Store
	key   driver.Key
	buf   *[]byte // buffer for the encoded record
	view  driver.View

	session   *storedSession // the live session with its overdue status applied; nil = none
	oldStatus Status         // as stored
	oldBytes  uint64         // driver.Record.Bytes as stored

	dirty       bool // whether session must be stored
	statusMoved bool // whether a deadline changed the status
	refile      bool // whether the due entry may move to a later deadline
	eventKind   driver.EventKind

	rec driver.Record
	out driver.Change
}

// tenantWrite is a sessionWrite of a tenant's call. Quotas limit it, and it may
// create the session.
type tenantWrite struct {
	sessionWrite
	tenant    *Tenant
	namespace *Namespace
	apply     func(*tenantWrite) error // the change that the call makes

	// Additions of the call, for the namespace's quotas.
	addSessions, addMessages uint64

	news bool // whether the last run added events
}

// bodyBuffers pools the buffers for encoded records. A driver does not use a
// buffer after Mutate returned.
var bodyBuffers = sync.Pool{New: func() any { return new([]byte) }}

// writeSession runs apply on the session at id in a transaction, and returns
// the session after the commit, or nil if there is none.
func (t *Tenant) writeSession(ctx context.Context, op, id string, target driver.Target,
	apply func(*tenantWrite) error,
) (*Session, error) {
	if err := t.checkCall(ctx, id); err != nil {
		return nil, t.wrapError(op, id, err)
	}
	target.Key = driver.Key{Namespace: t.ordinal, ID: id}
	target.Entries = append([]driver.EntryKey{namespaceKey(t.id)}, target.Entries...)
	target.Usage = t.cache.Load().ns.Quotas != NamespaceQuotas{}
	buf := bodyBuffers.Get().(*[]byte)
	defer bodyBuffers.Put(buf)
	w := &tenantWrite{tenant: t, apply: apply}
	w.store = t.store
	w.key = target.Key
	w.buf = buf
	err := t.store.mutateWith(ctx, target, w.run, &w.news)
	if errors.Is(err, errNeedUsage) && !target.Usage {
		target.Usage = true
		err = t.store.mutateWith(ctx, target, w.run, &w.news)
	}
	if err != nil {
		return nil, t.wrapError(op, id, err)
	}
	if w.session == nil {
		return nil, nil
	}
	return &w.session.Session, nil
}

// run plans the write for a view.
func (w *tenantWrite) run(v driver.View) (driver.Change, error) {
	w.sessionWrite = sessionWrite{store: w.store, key: w.key, buf: w.buf, view: v}
	w.addSessions = 0
	w.addMessages = 0
	var err error
	if w.namespace, err = w.tenant.cachedNamespace(v.Entries[0]); err != nil {
		return driver.Change{}, err
	}
	if err = w.load(w.tenant.id, w.tenant.organization); err != nil {
		return driver.Change{}, err
	}
	if err = w.apply(w); err != nil {
		return driver.Change{}, err
	}
	w.build()
	if err = w.checkQuota(); err != nil {
		return driver.Change{}, err
	}
	w.news = len(w.out.Events) > 0
	return w.out, nil
}

// load decodes the session if it is live, and applies overdue idling and
// archiving.
func (w *sessionWrite) load(namespaceID, organization string) (err error) {
	rec := w.view.Record
	if rec == nil || rec.Expires <= w.view.Now {
		return nil
	}
	if w.session, err = decodeStoredSession(rec, namespaceID, organization); err != nil {
		return err
	}
	w.oldStatus = Status(w.session.timeline.Status)
	w.oldBytes = rec.Bytes
	w.applyDue()
	return nil
}

// applyDue applies overdue idling and archiving. encodePut increases the
// version and adds the event later, because the call itself may wake the
// session again.
func (w *sessionWrite) applyDue() {
	s := w.session
	if !s.timeline.ApplyDue(w.view.Now) {
		return
	}
	w.statusMoved = true
	s.LastTransition = Transition{At: timeFromMillis(s.timeline.StatusAt), Reason: "no activity", Actor: sweepActor}
	w.markChanged(noEvent)
}

// requireLive returns the session. Errors: ErrNotFound if there is none.
func (w *sessionWrite) requireLive() (*storedSession, error) {
	if w.session == nil {
		return nil, ErrNotFound
	}
	return w.session, nil
}

// requireWritable returns the session if its status allows writes. Errors:
// ErrNotFound; ErrReadOnly.
func (w *sessionWrite) requireWritable() (*storedSession, error) {
	s, err := w.requireLive()
	if err != nil {
		return nil, err
	}
	if !s.timeline.Status.Writable() {
		return nil, readOnlyError{Status(s.timeline.Status)}
	}
	return s, nil
}

// resolve returns the lifecycle of a session whose caller chose own. Zero
// fields of own come from the namespace, then from Options.
func (w *tenantWrite) resolve(own Lifecycle) rules.Lifecycle {
	return own.inherit(w.namespace.Lifecycle).inherit(w.store.opts.Lifecycle).resolve()
}

// takeID claims the id for a new session. If an expired session has the id,
// takeID adds its event. Errors: ErrExists if a live session has the id.
func (w *tenantWrite) takeID() error {
	if w.session != nil {
		return ErrExists
	}
	if w.view.Record != nil {
		w.addExpired()
	}
	return nil
}

// create creates s, whose log has the given number of messages.
func (w *tenantWrite) create(s *storedSession, messages uint64) {
	w.session = s
	w.addSessions = 1
	w.addMessages = messages
	w.dirty = true
	w.eventKind = eventCreated
}

// noEvent is the kind of a change that does not appear in the feed.
const noEvent driver.EventKind = 0

// markWritten records a write of the session, which extends a sliding TTL.
func (w *sessionWrite) markWritten(kind driver.EventKind) {
	w.session.timeline.RecordWrite(w.view.Now)
	w.markChanged(kind)
}

// markChanged records a change of the session, as an event of kind. UpdatedAt
// never decreases: a restored session may come from a clock ahead.
func (w *sessionWrite) markChanged(kind driver.EventKind) {
	w.session.updated = max(w.session.updated, w.view.Now)
	w.dirty = true
	w.eventKind = kind
}

// remove removes the live session.
func (w *sessionWrite) remove(kind driver.EventKind) {
	w.dirty = false
	w.out.Remove = true
	w.addEvent(kind)
}

// removeExpired removes the expired session.
func (w *sessionWrite) removeExpired() {
	w.out.Remove = true
	w.addExpired()
}

// reschedule moves the due entry to the session's next deadline.
func (w *sessionWrite) reschedule() {
	w.dirty = true
	w.refile = true
}

// build completes the driver's change.
func (w *sessionWrite) build() {
	if w.dirty {
		w.encodePut()
	}
	w.trimFeed(w.store.opts.FeedEvents)
}

func (w *sessionWrite) encodePut() {
	s := w.session
	status := Status(s.timeline.Status)
	moved := status != w.oldStatus && w.eventKind != eventCreated
	if moved && w.statusMoved {
		s.Version++
	}
	s.publish()
	w.encodeRecord()
	w.out.Put = &w.rec
	if moved && w.eventKind != eventTransitioned {
		w.addEvent(eventTransitioned)
	}
	if w.eventKind != noEvent {
		w.addEvent(w.eventKind)
	}
}

// encodeRecord encodes the session into the driver's record.
func (w *sessionWrite) encodeRecord() {
	s := w.session
	old := 0
	if r := w.view.Record; r != nil && r.Incarnation == s.incarnation {
		old = len(r.Body)
	}
	body := encodeSession((*w.buf)[:0], s)
	*w.buf = body
	s.bytes += uint64(len(body)) - uint64(old)
	s.filedDue = rules.RefileDue(s.filedDue, s.timeline.NextDeadline(), w.refile)
	w.rec = driver.Record{
		Key:         w.key,
		Incarnation: s.incarnation, Version: s.Version, NextSeq: s.LastSeq + 1,
		UserID: s.UserID, Status: uint8(s.timeline.Status), Labels: driverLabels(s.Labels),
		Created: s.timeline.Created, ActiveMinute: s.timeline.Active / 60_000,
		Due: s.filedDue, Expires: s.timeline.Expires,
		Messages: s.MessageCount, Bytes: s.bytes, Body: body,
	}
}

// checkQuota enforces the namespace's quotas on writes that add content. Other
// writes are exempt, so that a caller can end sessions of a full namespace.
func (w *tenantWrite) checkQuota() error {
	switch w.eventKind {
	case eventCreated, eventUpdated, eventAppended:
	default:
		return nil
	}
	if !w.dirty {
		return nil
	}
	grown := w.session.bytes - min(w.oldBytes, w.session.bytes)
	return w.namespace.checkQuota(&w.view, w.addSessions, w.addMessages, grown)
}

func (w *sessionWrite) addEvent(kind driver.EventKind) {
	w.out.Events = append(w.out.Events, driver.Event{
		Time: w.view.Now, ID: w.key.ID, Kind: kind, Status: uint8(w.session.timeline.Status),
		Version: w.session.Version, LastSeq: w.session.LastSeq,
	})
}

// addExpired adds the event of the stored session, which has expired.
func (w *sessionWrite) addExpired() {
	r := w.view.Record
	w.out.Events = append(w.out.Events, driver.Event{
		Time: w.view.Now, ID: w.key.ID, Kind: eventExpired, Status: r.Status, Version: r.Version,
		LastSeq: r.NextSeq - 1,
	})
}

// trimStep is the largest number of events that one write trims. It is larger
// than the number that a write adds, so the feed shrinks to a lowered limit
// even if writers of several processes trim the same events.
const trimStep = 128

// trimFeed trims the feed to limit events.
func (w *sessionWrite) trimFeed(limit uint64) {
	added := uint64(len(w.out.Events))
	held := w.view.FeedHead + added - w.view.FeedTail
	if added > 0 && held > limit {
		w.out.TrimFeed = min(w.view.FeedTail+min(held-limit, trimStep), w.view.FeedHead)
	}
}
