package storetest

import (
	"fmt"
	"slices"

	"github.com/seshatdb/seshat"
)

// modelLog is the log and the state of a session of the model.
type modelLog struct {
	last     uint64 // number of the newest message ever appended
	messages []modelMessage
	known    []modelMessage // all messages ever appended
	state    map[string]int64
}

type modelMessage struct {
	seq         uint64
	id, content string
}

func newModelLog() *modelLog { return &modelLog{state: map[string]int64{}} }

// add numbers messages and appends them.
func (l *modelLog) add(messages []modelMessage) {
	for _, m := range messages {
		l.last++
		m.seq = l.last
		l.messages = append(l.messages, m)
		l.known = append(l.known, m)
	}
}

// drop removes the messages from..to.
func (l *modelLog) drop(from, to uint64) (n uint64) {
	kept := slices.DeleteFunc(slices.Clone(l.messages), func(m modelMessage) bool {
		return from <= m.seq && m.seq <= to
	})
	n = uint64(len(l.messages) - len(kept))
	l.messages = kept
	return n
}

func (c *call) append() {
	var given []seshat.Message
	var want []modelMessage
	for i := range 1 + c.p.r.IntN(3) {
		m := modelMessage{id: fmt.Sprintf("m%d.%d", c.p.step, i), content: fmt.Sprintf("%d of %s", c.p.step, c.id)}
		given = append(given, seshat.Message{ID: m.id, Role: seshat.RoleAssistant, Content: m.content})
		want = append(want, m)
	}
	got, err := c.t.Append(c.p.ctx, c.id, given...)
	s, _ := c.beginWrite(err)
	if s == nil {
		return
	}
	if s.status == seshat.StatusIdle {
		s.move(seshat.StatusActive, c.now)
	}
	s.active = c.now
	s.messages += uint64(len(given))
	s.log.add(want)
	equal(c.p.env, fmt.Sprintf("step %d: newest number", c.p.step), got.LastSeq, s.log.last)
	if got.Version < s.version {
		c.p.Fatalf("step %d: an append lowered the version from %d to %d", c.p.step, s.version, got.Version)
	}
	s.version = got.Version
	c.p.compare(c.space, s, got)
}

// repeat appends a message again. The log may no longer have the original.
func (c *call) repeat() {
	s := c.p.m.live(c.space, c.id, c.now)
	if s == nil || len(s.log.known) == 0 {
		return
	}
	m := pick(c.p, s.log.known)
	got, err := c.t.AppendTurn(c.p.ctx, c.id, seshat.Turn{
		Messages: []seshat.Message{{ID: m.id, Role: seshat.RoleAssistant, Content: m.content}},
	})
	before := *s
	moved := s.settle(c.now)
	if !s.writable() && err != nil {
		c.want(err, seshat.ErrReadOnly)
		*s = before
		return
	}
	c.want(err, nil)
	if !got.Repeated || got.First != m.seq || got.Last != m.seq {
		c.p.Fatalf("step %d: message %q again: repeated %v as %d to %d, want %d", c.p.step, m.id, got.Repeated,
			got.First, got.Last, m.seq)
	}
	c.countVersion(s, moved, got.Session)
}

func (c *call) truncate() {
	seq := c.p.r.Uint64N(12)
	removed, err := c.t.Truncate(c.p.ctx, c.id, seq)
	s := c.findSession(err)
	if s == nil {
		return
	}
	before := *s
	moved := s.settle(c.now)
	if !s.writable() {
		c.want(err, seshat.ErrReadOnly)
		*s = before
		return
	}
	c.want(err, nil)
	n := s.log.drop(seq+1, s.log.last)
	equal(c.p.env, fmt.Sprintf("step %d: messages truncated", c.p.step), removed, n)
	if n > 0 {
		s.written = c.now
		s.messages -= n
		s.version++
	}
	c.countVersion(s, moved, c.p.get(c.t, c.id))
}

func (c *call) deleteMessage() {
	seq := 1 + c.p.r.Uint64N(8)
	got, err := c.t.DeleteMessage(c.p.ctx, c.id, seq)
	s := c.findSession(err)
	if s == nil {
		return
	}
	before := *s
	moved := s.settle(c.now)
	switch there := slices.ContainsFunc(s.log.messages, func(m modelMessage) bool { return m.seq == seq }); {
	case !s.writable():
		c.want(err, seshat.ErrReadOnly)
		*s = before
	case !there:
		c.want(err, seshat.ErrNotFound)
		*s = before
	default:
		c.want(err, nil)
		s.messages -= s.log.drop(seq, seq)
		s.written = c.now
		s.version++
		c.countVersion(s, moved, got)
	}
}

// history compares a random part of the log.
func (c *call) history() {
	from := c.p.r.Uint64N(6)
	to := c.p.r.Uint64N(20)
	limit := 1 + c.p.r.IntN(12)
	q := seshat.HistoryQuery{FromSeq: from, ToSeq: to, Limit: limit}
	order := c.p.r.IntN(3)
	switch order {
	case 1:
		q.NewestFirst = true
	case 2:
		q.Limit = 0
		q.Last = limit
	}
	got, err := c.t.History(c.p.ctx, c.id, q)
	s := c.findSession(err)
	if s == nil {
		return
	}
	c.want(err, nil)
	want := slices.DeleteFunc(slices.Clone(s.log.messages), func(m modelMessage) bool {
		return m.seq < from || to > 0 && m.seq > to
	})
	if order > 0 {
		slices.Reverse(want)
	}
	more := len(want) > limit
	want = want[:min(limit, len(want))]
	if order == 2 {
		slices.Reverse(want)
	}
	var have []modelMessage
	for _, m := range got.Messages {
		have = append(have, modelMessage{m.Seq, m.ID, m.Content})
	}
	if !slices.Equal(have, want) || got.More != more {
		c.p.Fatalf("step %d: history %+v: got %v, more: %t, want %v, %t", c.p.step, q, have, got.More, want, more)
	}
}
