package seshat

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// ForkOptions are the options of a fork. The zero ForkOptions copies all
// messages to a session with a generated id.
type ForkOptions struct {
	ID  string // id of the new session; the default is "ses_" and a ULID
	Seq uint64 // number of the last message to copy; 0 = copy all
}

// Fork creates a session from the session at id, in any status. The new session
// copies its agent, quotas, user, memory, metadata, labels, lifecycle and name,
// and its log up to f.Seq with the same numbers and message ids. Its initial
// state is [Tenant.StateAt] of f.Seq, its stats count the copied messages, and
// its Parent is the session at id. It is active, appears when it is complete,
// and is independent from then on.
//
// Other calls continue while the log is copied in bounded steps. If the copied
// part of the log is edited meanwhile, the fork restarts, up to 32 times, and
// then fails with ErrConflict. So does a fork that is delayed between two steps
// for half an hour.
//
// Errors: ErrNotFound if there is no session at id, or it ended meanwhile;
// ErrExists if f.ID is taken; ErrQuota if the namespace is full; ErrConflict;
// ErrInvalid if f.Seq is above the newest number.
func (t *Tenant) Fork(ctx context.Context, id string, f ForkOptions) (s *Session, err error) {
	const op = "Fork"
	defer t.wrapOnReturn(op, id, &err)
	if f.ID == "" {
		f.ID = NewSessionID()
	}
	if err := checkName("session_id", f.ID).err(); err != nil {
		return nil, err
	}
	if err := t.checkIDAvailable(ctx, f.ID); err != nil {
		return nil, err
	}
	err = retry(ctx, func() (err error) {
		s, err = t.tryFork(ctx, id, f)
		return err
	})
	if err != nil {
		return nil, unwrapError(err)
	}
	return s, nil
}

// tryFork copies the log and creates the child. If the log was edited
// meanwhile, or a user was erased, it returns errRetry.
func (t *Tenant) tryFork(ctx context.Context, id string, f ForkOptions) (*Session, error) {
	erasures, err := t.store.readEntry(ctx, erasuresKey(t.ordinal))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	parent, err := t.loadStored(ctx, id)
	if err != nil {
		return nil, err
	}
	seq := f.Seq
	if seq == 0 {
		seq = parent.LastSeq
	}
	if seq > parent.LastSeq {
		return nil, invalid("seq", "is %d; at most the newest number, %d, is allowed", seq, parent.LastSeq)
	}
	g, stats, err := t.copyLog(ctx, parent, seq)
	if err != nil {
		return nil, err
	}
	state, err := t.copyState(ctx, parent, seq, f.ID)
	if err != nil {
		return nil, err
	}
	now, err := t.reload(ctx, &parent.Session)
	if err != nil {
		return nil, err
	}
	if now.logEdits != parent.logEdits {
		return nil, errRetry
	}
	target := driver.Target{Entries: []driver.EntryKey{erasuresKey(t.ordinal)}}
	return t.writeSession(ctx, "Fork", f.ID, target, func(c *tenantWrite) error {
		if err := c.takeID(); err != nil {
			return err
		}
		if g.mayBeReclaimed(c.view.Now) || !bytes.Equal(c.view.Entries[1], erasures) {
			return errRetry // the parent's user may have been erased since the read
		}
		c.initFork(parent, f.ID, seq, g, stats)
		return state.applyFresh(&c.out, t.ordinal)
	})
}

// copyState returns the parent's state at seq as the initial state of the
// child.
func (t *Tenant) copyState(ctx context.Context, parent *storedSession, seq uint64, child string) (*stateMerge, error) {
	values, err := t.stateAt(ctx, &parent.Session, seq)
	if err != nil {
		return nil, err
	}
	return newStateMerge(SessionScope(child), "state", values)
}

// copyLog stages the parent's messages up to seq.
func (t *Tenant) copyLog(ctx context.Context, parent *storedSession, seq uint64) (*stagedLog, messageTotals, error) {
	g := t.newStage()
	var sum messageTotals
	span := driver.Span{To: seq}
	for seq > 0 && span.From <= seq {
		page, err := t.store.d.Messages(ctx, driver.LogQuery{
			Namespace: t.ordinal, Incarnation: parent.incarnation, Span: span, Limit: stageStep,
		})
		if err != nil {
			return nil, sum, err
		}
		for i := range page {
			m, err := decodeMessage(&page[i])
			if err != nil {
				return nil, sum, err
			}
			sum.add(totalsOf([]Message{m}))
			if err := g.add(ctx, page[i]); err != nil {
				return nil, sum, err
			}
		}
		if len(page) < stageStep {
			break
		}
		span.From = page[len(page)-1].Seq + 1
	}
	return g, sum, g.flush(ctx)
}

// initFork creates the child of parent, with the staged log g of totals n.
func (w *tenantWrite) initFork(parent *storedSession, id string, seq uint64, g *stagedLog, n messageTotals) {
	s := &storedSession{Session: *parent.clone(), storedFields: storedFields{
		chosenLifecycle: parent.chosenLifecycle,
		filedDue:        driver.Never,
	}}
	s.ID = id
	s.Version = 1
	s.Parent = Parent{SessionID: parent.ID, Seq: seq}
	s.LastTransition = Transition{}
	s.Stats = SessionStats{}
	s.lease = lease{}
	s.startTimeline(parent.timeline.Lifecycle, w.view.Now)
	s.LastSeq = seq
	g.attachTo(s)
	s.addTotals(n, w.view.Now)
	s.rate = rules.Rate{} // copied messages do not count for the rate limit
	w.create(s, g.messages)
}

// A stagedLog is a log that is written in bounded steps under an incarnation
// that no session has yet. The write that creates the session makes it visible
// as a whole. If that write never comes, the store reclaims the staged log.
type stagedLog struct {
	t           *Tenant
	incarnation driver.Incarnation
	batch       []driver.Message
	size        int

	safeUntil int64  // Unix milliseconds before which nothing staged is reclaimed; 0 = nothing is staged
	last      uint64 // highest number staged
	messages  uint64
	bytes     uint64
}

func (t *Tenant) newStage() *stagedLog {
	return &stagedLog{t: t, incarnation: driver.Incarnation(newULID(t.store.clock.Read()))}
}

// add stages one message, and keeps its memory until the next flush. Numbers
// must ascend.
func (g *stagedLog) add(ctx context.Context, m driver.Message) error {
	g.batch = append(g.batch, m)
	g.size += len(m.Body)
	g.last = m.Seq
	g.messages++
	g.bytes += uint64(len(m.Body))
	if len(g.batch) < stageStep && g.size < stageBytes {
		return nil
	}
	return g.flush(ctx)
}

// flush writes the messages that were added since the last flush.
func (g *stagedLog) flush(ctx context.Context) error {
	if len(g.batch) == 0 {
		return nil
	}
	target := driver.Target{
		Key:     driver.Key{Namespace: g.t.ordinal},
		Entries: []driver.EntryKey{namespaceKey(g.t.id)},
		Usage:   g.t.cache.Load().ns.Quotas != NamespaceQuotas{},
	}
	err := g.t.store.mutate(ctx, target, func(v driver.View) (driver.Change, error) {
		if err := g.checkRoom(&v); err != nil {
			return driver.Change{}, err
		}
		return driver.Change{Stage: g.incarnation, StageUntil: v.Now + stageFor.Milliseconds(), Append: g.batch}, nil
	})
	g.batch = nil
	g.size = 0
	return err
}

// checkRoom checks that the staged log can still become a session. Errors:
// ErrConflict if it may have been reclaimed; ErrQuota if the namespace has no
// room for it.
func (g *stagedLog) checkRoom(v *driver.View) error {
	ns, err := g.t.cachedNamespace(v.Entries[0])
	if err == nil && g.mayBeReclaimed(v.Now) {
		err = ErrConflict
	}
	if err == nil {
		err = ns.checkQuota(v, 1, g.messages, g.bytes)
	}
	if err != nil && !errors.Is(err, errNeedUsage) { // the last write needs it
		return err
	}
	g.safeUntil = v.Now + stageFor.Milliseconds()/2
	return nil
}

// mayBeReclaimed reports whether a part of the staged log may be gone at now.
func (g *stagedLog) mayBeReclaimed(now int64) bool { return g.safeUntil != 0 && now >= g.safeUntil }

// attachTo makes the staged log the log of s, which is about to be created.
func (g *stagedLog) attachTo(s *storedSession) {
	s.incarnation = g.incarnation
	s.LastSeq = max(s.LastSeq, g.last)
	s.MessageCount = g.messages
	s.bytes = g.bytes
}

const (
	// stageFor is the time after the last step at which a staged log is
	// reclaimed. A stagedLog relies on half of it only, because the clocks of
	// processes that share the data differ.
	stageFor = time.Hour

	// stageStep and stageBytes bound one step.
	stageStep  = 128
	stageBytes = 1 << 20
)
