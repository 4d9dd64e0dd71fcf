package seshat

import (
	"bytes"
	"context"
	"errors"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// Fork is what a fork changes of the session that it copies.
type Fork struct {
	ID  string // the new session's id; by default "ses_" and a ULID
	Seq uint64 // copy the messages up to this number; 0 = all of them
}

// Fork makes a new session of the one at id: its agent, quotas, user, memory,
// metadata, labels, lifecycle, name, and its log up to f.Seq, with the same
// numbers and message ids; Parent says where it came from. Its initial state
// is the parent's as [Tenant.StateAt] has it for f.Seq, and its stats count
// what was copied. The new session is active, is visible only when it is
// whole, and is independent from then on. The copy is made in bounded steps
// while others go on: if the part of the log that it copies is edited
// meanwhile it starts again, up to 32 times and then ErrConflict, as where it
// is held up between two steps for half an hour.
//
// ErrNotFound: there is no session at id, or it ended meanwhile. ErrExists:
// f.ID is taken. ErrQuota: the namespace is full. ErrInvalid: f.Seq is above
// the newest number. A session in any status can be forked.
func (t *Tenant) Fork(ctx context.Context, id string, f Fork) (*Session, error) {
	const op = "Fork"
	if f.ID == "" {
		f.ID = NewSessionID()
	}
	if err := checkName("session_id", f.ID); err != nil {
		return nil, t.wrapError(op, id, err)
	}
	if err := t.checkIDAvailable(ctx, f.ID); err != nil {
		return nil, t.wrapError(op, id, err)
	}
	for range maxRetries {
		s, again, err := t.tryFork(ctx, id, f)
		if err != nil {
			return nil, t.wrapError(op, id, unwrapError(err))
		}
		if !again {
			return s, nil
		}
	}
	return nil, t.wrapError(op, id, ErrConflict)
}

// tryFork copies the log; again means that it was edited meanwhile, or that a
// user was erased.
func (t *Tenant) tryFork(ctx context.Context, id string, f Fork) (child *Session, again bool, err error) {
	erasures, err := t.store.readEntry(ctx, erasuresKey(t.ordinal))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, false, err
	}
	parent, err := t.loadStored(ctx, id)
	if err != nil {
		return nil, false, err
	}
	seq := f.Seq
	if seq == 0 {
		seq = parent.LastSeq
	}
	if seq > parent.LastSeq {
		return nil, false, invalid("seq", "is above the newest number, which is %d", parent.LastSeq)
	}
	g, stats, err := t.copyLog(ctx, parent, seq)
	if err != nil {
		return nil, false, err
	}
	state, err := t.copyState(ctx, parent, seq, f.ID)
	if err != nil {
		return nil, false, err
	}
	now, err := t.reload(ctx, &parent.Session)
	if err != nil || now.logEdits != parent.logEdits {
		return nil, err == nil, err
	}
	target := driver.Target{Entries: []driver.EntryKey{erasuresKey(t.ordinal)}}
	child, err = t.writeSession(ctx, "Fork", f.ID, target, func(c *sessionWrite) error {
		if c.session != nil {
			return ErrExists
		}
		if g.mayBeReclaimed(c.now) || !bytes.Equal(c.view.Entries[1], erasures) {
			return errRetry // the parent's user may have been erased since it was read
		}
		if r := c.view.Record; r != nil {
			c.addExpired(r)
		}
		c.initFork(parent, f.ID, seq, g, stats)
		return state.applyFresh(&c.out, t.ordinal)
	})
	if errors.Is(err, errRetry) {
		return nil, true, nil
	}
	return child, false, err
}

// copyState makes the parent's state at seq the initial one of the child.
func (t *Tenant) copyState(ctx context.Context, parent *storedSession, seq uint64, child string) (*stateMerge, error) {
	values, err := t.stateAt(ctx, &parent.Session, seq)
	if err != nil {
		return nil, err
	}
	return newStateMerge(SessionState(child), "state", values)
}

// copyLog stages the parent's messages up to seq.
func (t *Tenant) copyLog(ctx context.Context, parent *storedSession, seq uint64) (*stagedLog, appendTotals, error) {
	g := t.newStage()
	var sum appendTotals
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

func (n *appendTotals) add(m appendTotals) {
	n.messages += m.messages
	n.tokens += m.tokens
	n.toolCalls += m.toolCalls
	n.latency.SumMS += m.latency.SumMS
	n.latency.Count += m.latency.Count
}

// initFork makes the change's session a child of parent.
func (c *sessionWrite) initFork(parent *storedSession, id string, seq uint64, g *stagedLog, n appendTotals) {
	s := &storedSession{Session: *parent.clone(), storedFields: storedFields{chosenLifecycle: parent.chosenLifecycle, filedDue: driver.Never}}
	s.ID, s.Version, s.Parent = id, 1, Parent{SessionID: parent.ID, Seq: seq}
	s.LastMove, s.Stats = Move{}, SessionStats{}
	s.lease = lease{}
	s.startTimeline(parent.timeline.Life, c.now)
	s.LastSeq = seq
	g.attachTo(s)
	s.addTotals(n, c.now)
	s.rate = rules.Rate{} // copying is not talking
	c.session, c.addSessions, c.addMessages = s, 1, g.messages
	c.dirty, c.eventKind = true, eventCreated
}
