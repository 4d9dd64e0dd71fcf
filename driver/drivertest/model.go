package drivertest

import (
	"bytes"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

// model is a store made of lists that are searched linearly. It follows the
// promises of package driver and shares no code with any driver.
type model struct {
	sessions []*modelSession
	staged   []*modelLog
	entries  []driver.Entry // except those of sessions
	feeds    map[uint64]*modelFeed
	erased   map[driver.Erasure]driver.Erased // since the last full Reclaim
	dead     []*modelLog                      // logs that reads must not show
}

type modelSession struct {
	driver.Record
	log *modelLog
}

// modelLog is the data that one incarnation owns.
type modelLog struct {
	namespace   uint64
	incarnation driver.Incarnation
	messages    []driver.Message
	refs        map[string]driver.Ref
	entries     []driver.Entry // with empty Owner
	until       int64
}

type modelFeed struct {
	events []driver.Event // every event ever emitted
	tail   uint64
}

func newModel() *model {
	return &model{feeds: make(map[uint64]*modelFeed), erased: make(map[driver.Erasure]driver.Erased)}
}

func newModelLog(namespace uint64, inc driver.Incarnation) *modelLog {
	return &modelLog{namespace: namespace, incarnation: inc, refs: make(map[string]driver.Ref)}
}

func (m *model) find(k driver.Key) *modelSession {
	for _, s := range m.sessions {
		if s.Key == k {
			return s
		}
	}
	return nil
}

func (m *model) feed(namespace uint64) *modelFeed {
	if m.feeds[namespace] == nil {
		m.feeds[namespace] = &modelFeed{}
	}
	return m.feeds[namespace]
}

// removeSessions removes the sessions for which the function which returns
// true.
func (m *model) removeSessions(which func(*modelSession) bool) {
	m.sessions = slices.DeleteFunc(m.sessions, func(s *modelSession) bool {
		if !which(s) {
			return false
		}
		m.dead = append(m.dead, s.log)
		return true
	})
}

// apply applies a valid change to the session k.
func (m *model) apply(k driver.Key, c driver.Change) {
	s := m.find(k)
	if s != nil && (c.Remove || c.Put != nil && c.Put.Incarnation != s.Incarnation) {
		m.removeSessions(func(other *modelSession) bool { return other == s })
		s = nil
	}
	if c.Put != nil {
		s = m.put(s, c.Put)
	}
	switch {
	case c.Stage != driver.Incarnation{}:
		m.stage(k.Namespace, c.Stage, c.StageUntil).edit(c)
	case s != nil:
		s.log.edit(c)
	}
	for _, e := range c.Entries {
		list := &m.entries
		if e.Kind&driver.KindSession != 0 {
			list = &s.log.entries
		}
		setEntry(list, e)
	}
	if c.Erase != nil {
		m.erase(*c.Erase)
	}
	f := m.feed(k.Namespace)
	f.tail = max(f.tail, c.TrimFeed)
	for _, e := range c.Events {
		e.Position = uint64(len(f.events)) + 1
		f.events = append(f.events, e)
	}
}

func (m *model) put(s *modelSession, r *driver.Record) *modelSession {
	if s == nil {
		s = &modelSession{log: m.adopt(r)}
		m.sessions = append(m.sessions, s)
	}
	s.Record = *cloneRecord(r)
	return s
}

// adopt returns the log that was staged for r, or an empty one.
func (m *model) adopt(r *driver.Record) *modelLog {
	for i, l := range m.staged {
		if l.incarnation == r.Incarnation {
			m.staged = slices.Delete(m.staged, i, i+1)
			return l
		}
	}
	return newModelLog(r.Namespace, r.Incarnation)
}

func (m *model) stage(namespace uint64, inc driver.Incarnation, until int64) *modelLog {
	for _, l := range m.staged {
		if l.incarnation == inc {
			l.until = until
			return l
		}
	}
	l := newModelLog(namespace, inc)
	l.until = until
	m.staged = append(m.staged, l)
	return l
}

func (l *modelLog) edit(c driver.Change) {
	for _, d := range c.Drop {
		l.messages = slices.DeleteFunc(l.messages,
			func(m driver.Message) bool { return d.From <= m.Seq && m.Seq <= d.To })
	}
	for _, r := range c.Replace {
		for i := range l.messages {
			if l.messages[i].Seq == r.Seq {
				l.messages[i].Body = bytes.Clone(r.Body)
			}
		}
	}
	for _, a := range c.Append {
		l.messages = append(l.messages, cloneMessage(&a))
		l.refs[a.ID] = driver.Ref{Found: true, Seq: a.Seq, Digest: a.Digest}
	}
}

func setEntry(list *[]driver.Entry, e driver.Entry) {
	*list = slices.DeleteFunc(*list, func(old driver.Entry) bool { return old.EntryKey == e.EntryKey })
	if e.Value != nil {
		e.Value = bytes.Clone(e.Value)
		*list = append(*list, e)
	}
}

func (m *model) erase(e driver.Erasure) {
	sum := m.erased[e]
	sum.Erasure = e
	for _, s := range m.sessions {
		if s.Namespace == e.Namespace && (e.UserID == "" || s.UserID == e.UserID) {
			sum.Sessions++
			sum.Messages += s.Messages
			sum.Bytes += s.Bytes
			sum.Entries += uint64(len(s.log.entries))
		}
	}
	m.removeSessions(func(s *modelSession) bool {
		return s.Namespace == e.Namespace && (e.UserID == "" || s.UserID == e.UserID)
	})
	m.entries = slices.DeleteFunc(m.entries, func(old driver.Entry) bool {
		gone := old.Namespace == e.Namespace && (e.UserID == "" || old.Kind == kindUser && old.Owner == e.UserID)
		if gone {
			sum.Entries++
		}
		return gone
	})
	if e.UserID == "" {
		delete(m.feeds, e.Namespace)
		m.expireStaged(func(l *modelLog) bool { return l.namespace == e.Namespace })
	}
	if sum.Sessions+sum.Entries > 0 {
		m.erased[e] = sum
	}
}

// expireStaged removes the staged logs for which the function which returns
// true.
func (m *model) expireStaged(which func(*modelLog) bool) {
	m.staged = slices.DeleteFunc(m.staged, func(l *modelLog) bool {
		if which(l) {
			m.dead = append(m.dead, l)
			return true
		}
		return false
	})
}
