package seshat

import (
	"context"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// Turn is the content of one append. All of it is stored, or nothing.
type Turn struct {
	// Messages are appended in this order: 1 to MaxTurnMessages messages of at
	// most MaxTurnBytes bytes together. They are copied.
	Messages []Message

	// State, UserState and NamespaceState are merged into the scopes of the
	// session, its user and the namespace, as MergeState does, in the same
	// transaction. They are copied. A repeated turn merges nothing.
	State          map[string]any
	UserState      map[string]any // not allowed if the session has no user
	NamespaceState map[string]any

	// IfLastSeq is the Session.LastSeq that the caller knows. If the log has a
	// newer message, the append fails with a [ConflictError] that has both
	// numbers, unless it repeats an earlier append. nil = no condition.
	IfLastSeq *uint64

	// IfSession is the session as the caller read it. If that incarnation has
	// ended, the append fails with ErrNotFound, even if the id has a new
	// session. nil = no condition.
	IfSession *Session

	// Lease is the token of the caller's lease; see [Tenant.AcquireLease]. 0 =
	// no lease; then the append fails while a lease is in force.
	Lease uint64
}

// AppendResult is the result of [Tenant.AppendTurn].
type AppendResult struct {
	Session *Session // the session after the append

	// First and Last are the lowest and the highest number of the turn's
	// messages. If Repeated, they are the numbers of the first append.
	First, Last uint64

	// Repeated reports that all messages were appended before, with the same
	// ids, and that the call changed nothing.
	Repeated bool
}

// MessageIDError reports that the session has a message of that id with other
// content, or that only a part of the turn was appended before. It matches
// ErrConflict.
type MessageIDError struct {
	MessageID string // the id in conflict
	Seq       uint64 // number of the message with that id; 0 = no message has it
}

// Error names the id and the message that has it.
func (e *MessageIDError) Error() string {
	if e.Seq == 0 {
		return fmt.Sprintf("message id %s is new, but the session has other messages of the turn",
			quoteName(e.MessageID))
	}
	return fmt.Sprintf("message id %s is used by message %d with other content", quoteName(e.MessageID), e.Seq)
}

// Is reports whether target is ErrConflict.
func (e *MessageIDError) Is(target error) bool { return target == ErrConflict }

// Append adds messages to the end of the session's log, and returns the session
// after it. It is AppendTurn without conditions, and has its errors.
func (t *Tenant) Append(ctx context.Context, id string, messages ...Message) (s *Session, err error) {
	const op = "Append"
	defer t.wrapOnReturn(op, id, &err)
	a, err := t.prepareAppend(Turn{Messages: messages})
	if err != nil {
		return nil, err
	}
	return t.writeSession(ctx, op, id, a.target(t.ordinal), a.apply)
}

// AppendTurn adds a turn to the end of the session's log. The store numbers the
// messages, so another writer never makes it fail. If all messages were
// appended before, with the same ids and content and in this incarnation,
// nothing is appended: the call reports their numbers, even if they were edited
// or truncated since. In the same transaction the append updates the stats,
// gives the session its title at the first user message, wakes an idle session,
// and extends a sliding TTL.
//
// Errors: ErrConflict, see [MessageIDError] and Turn.IfLastSeq; ErrQuota if a
// quota of the session or the namespace, or a bound of state would be exceeded,
// see [QuotaError]; ErrLease if another lease is in force or the token is not
// valid, see [LeaseError]; ErrReadOnly; ErrNotFound; ErrInvalid.
func (t *Tenant) AppendTurn(ctx context.Context, id string, turn Turn) (r AppendResult, err error) {
	const op = "AppendTurn"
	defer t.wrapOnReturn(op, id, &err)
	a, err := t.prepareAppend(turn)
	if err != nil {
		return AppendResult{}, err
	}
	var s *Session
	err = retry(ctx, func() error {
		err := t.prepareState(ctx, id, a)
		if err != nil {
			return err
		}
		s, err = t.writeSession(ctx, op, id, a.target(t.ordinal), a.apply)
		return err
	})
	if err != nil {
		return AppendResult{}, err
	}
	return AppendResult{Session: s, First: a.seqs[0], Last: a.seqs[len(a.seqs)-1], Repeated: a.repeated}, nil
}

// appendPlan is a checked append and the result of its last run.
type appendPlan struct {
	turn       Turn
	digests    [][16]byte // one for each message
	givenIDs   []string   // the ids that the caller gave
	givenIndex []int      // for each given id, the index of its message
	name       string     // title for a session without a name
	merges     stateMerges
	user       string // user of UserState

	// Results of the last run of apply.
	seqs     []uint64
	repeated bool
}

// prepareAppend checks and copies the turn, and computes everything that needs
// no transaction.
func (t *Tenant) prepareAppend(turn Turn) (*appendPlan, error) {
	if err := checkTurn(turn.Messages).err(); err != nil {
		return nil, err
	}
	a := &appendPlan{
		turn: turn, digests: make([][16]byte, len(turn.Messages)),
		seqs: make([]uint64, len(turn.Messages)),
	}
	a.turn.Messages = append([]Message(nil), turn.Messages...)
	for i := range a.turn.Messages {
		m := &a.turn.Messages[i]
		a.digests[i] = messageDigest(m)
		if m.ID != "" {
			a.givenIDs = append(a.givenIDs, m.ID)
			a.givenIndex = append(a.givenIndex, i)
		}
		if m.Role == RoleUser && a.name == "" {
			a.name = title(t.store.opts.Title(m.Content))
		}
	}
	return a, nil
}

// target returns the target that apply needs.
func (a *appendPlan) target(ord uint64) driver.Target {
	return driver.Target{MessageIDs: a.givenIDs, Entries: a.merges.targets(ord)}
}

func (a *appendPlan) apply(c *tenantWrite) error {
	s, err := c.requireLive()
	if err != nil {
		return err
	}
	if life := a.turn.IfSession; life != nil && life.incarnation != s.incarnation {
		return ErrNotFound
	}
	if a.repeated, err = a.matchRetry(c.view.Refs); a.repeated || err != nil {
		return err
	}
	if after := a.turn.IfLastSeq; after != nil && *after != s.LastSeq {
		return &ConflictError{Have: *after, Stored: s.LastSeq}
	}
	if _, err = c.requireWritable(); err != nil {
		return err
	}
	if len(a.turn.UserState) > 0 && s.UserID != a.user {
		return errRetry
	}
	if err := s.lease.admit(a.turn.Lease, c.view.Now); err != nil {
		return err
	}
	n := totalsOf(a.turn.Messages)
	if err := s.checkQuotas(n, c.view.Now); err != nil {
		return err
	}
	if s.timeline.Status == rules.Idle {
		s.timeline.SetStatus(rules.Active, c.view.Now)
		s.LastTransition = Transition{At: timeFromMillis(c.view.Now), Reason: "message"}
	}
	if s.Name == "" {
		s.Name = a.name
	}
	a.addMessages(c, s)
	s.addTotals(n, c.view.Now)
	c.addMessages = n.messages
	s.timeline.Active = c.view.Now
	c.markWritten(eventAppended)
	return a.merges.apply(&c.out, c.tenant.ordinal, s.LastSeq, c.view.Entries[1:])
}

// matchRetry reports whether all messages were appended before, with these ids.
func (a *appendPlan) matchRetry(refs []driver.Ref) (bool, error) {
	found := 0
	var fresh string
	for i, ref := range refs {
		switch m := a.givenIndex[i]; {
		case !ref.Found:
			fresh = a.givenIDs[i]
		case ref.Digest != a.digests[m]:
			return false, &MessageIDError{MessageID: a.givenIDs[i], Seq: ref.Seq}
		default:
			found++
			a.seqs[m] = ref.Seq
		}
	}
	switch {
	case found == 0:
		return false, nil
	case found < len(a.turn.Messages):
		return false, &MessageIDError{MessageID: fresh}
	}
	return true, nil
}

// addMessages numbers the messages and adds them to the change.
func (a *appendPlan) addMessages(c *tenantWrite, s *storedSession) {
	c.out.Append = make([]driver.Message, len(a.turn.Messages))
	for i := range a.turn.Messages {
		m := a.turn.Messages[i] // a copy, as apply may run again
		s.LastSeq++
		m.Seq = s.LastSeq
		a.seqs[i] = s.LastSeq
		m.setDefaults(max(c.view.Now, s.updated))
		body := encodeMessage(nil, &m)
		c.out.Append[i] = driver.Message{Seq: m.Seq, ID: m.ID, Digest: a.digests[i], Body: body}
		s.bytes += uint64(len(body))
		s.MessageCount++
	}
}

// addTotals adds an append at now to the session's stats.
func (s *storedSession) addTotals(n messageTotals, now int64) {
	s.Stats.TotalMessages += n.messages
	s.Stats.TotalTokens += n.tokens
	s.Stats.TotalToolCalls += n.toolCalls
	s.latency.SumMS += n.latency.SumMS
	s.latency.Count += n.latency.Count
	s.rate.Add(n.messages, now)
}

// prepareState checks the turn's state, and finds its scopes. It reads the
// session's user, which apply compares again.
func (t *Tenant) prepareState(ctx context.Context, id string, a *appendPlan) error {
	a.merges = a.merges[:0]
	if len(a.turn.UserState) > 0 {
		s, err := t.Get(ctx, id)
		if err != nil {
			return unwrapError(err)
		}
		if a.user = s.UserID; a.user == "" {
			return invalid("user_state", "is not empty, but the session has no user; leave it empty")
		}
	}
	for _, d := range []struct {
		field string
		scope Scope
		delta map[string]any
	}{
		{"state", SessionScope(id), a.turn.State},
		{"user_state", UserScope(a.user), a.turn.UserState},
		{"namespace_state", NamespaceScope(), a.turn.NamespaceState},
	} {
		if len(d.delta) == 0 {
			continue
		}
		m, err := newStateMerge(d.scope, d.field, d.delta)
		if err != nil {
			return err
		}
		a.merges = append(a.merges, m)
	}
	return nil
}
