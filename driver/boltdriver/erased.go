package boltdriver

import (
	"maps"

	"github.com/seshatdb/seshat/driver"
)

// pendingErasures are the pending marks n and u, in memory. nil is the normal
// case: there is none. They are not changed once a snapshot carries them.
type pendingErasures map[uint64]*erasedSpace

// erasedSpace is what is erased of one namespace.
type erasedSpace struct {
	epoch uint64            // of the namespace's own erasure, or 0
	users map[string]uint64 // epoch of each erased user
}

// record reports whether the record with this header is erased.
func (m pendingErasures) record(ns uint64, h *recordHeader) bool {
	s := m[ns]
	return s != nil && (h.epoch < s.epoch || h.epoch < s.users[unsafeString(h.user)])
}

// counted reports whether the namespace's counters include the record: they
// began anew when the namespace was erased.
func (m pendingErasures) counted(ns uint64, h *recordHeader) bool {
	s := m[ns]
	return s == nil || h.epoch >= s.epoch
}

// entry reports whether an entry is erased by its own key. That of a session
// is also erased with its record.
func (m pendingErasures) entry(k *driver.EntryKey, epoch uint64) bool {
	s := m[k.Namespace]
	if s == nil {
		return false
	}
	owned := k.Kind&driver.KindUser != 0 && epoch < s.users[k.Owner]
	return owned || epoch < s.epoch
}

// log reports whether a log staged in this epoch is erased.
func (m pendingErasures) log(ns, epoch uint64) bool {
	s := m[ns]
	return s != nil && epoch < s.epoch
}

// covering returns the erasure that covers the record.
func (m pendingErasures) covering(ns uint64, h *recordHeader) driver.Erasure {
	e := driver.Erasure{Namespace: ns}
	if s := m[ns]; s != nil && h.epoch >= s.epoch {
		e.User = string(h.user)
	}
	return e
}

// clone copies m, so that put and drop may change it.
func (m pendingErasures) clone() pendingErasures {
	c := make(pendingErasures, len(m))
	for ns, s := range m {
		c[ns] = &erasedSpace{epoch: s.epoch, users: maps.Clone(s.users)}
	}
	return c
}

// put adds an erasure. One of a namespace takes the place of those of its
// users.
func (m pendingErasures) put(e driver.Erasure, epoch uint64) {
	s := m[e.Namespace]
	if s == nil {
		s = &erasedSpace{}
		m[e.Namespace] = s
	}
	if e.User == "" {
		s.epoch, s.users = epoch, nil
		return
	}
	if s.users == nil {
		s.users = make(map[string]uint64)
	}
	s.users[e.User] = epoch
}

// drop removes an erasure that was carried out.
func (m pendingErasures) drop(e driver.Erasure) {
	s := m[e.Namespace]
	if e.User == "" {
		s.epoch = 0
	} else {
		delete(s.users, e.User)
	}
	if s.epoch == 0 && len(s.users) == 0 {
		delete(m, e.Namespace)
	}
}

// orNil keeps the test for the normal case to a comparison with nil.
func (m pendingErasures) orNil() pendingErasures {
	if len(m) == 0 {
		return nil
	}
	return m
}

// seeker is a place in a bucket, as the engine's cursors are. Keys and values
// share memory with the transaction.
type seeker interface {
	// Seek moves to key, or to the first key beyond it, and returns what is
	// there; nil if there is none.
	Seek(key []byte) (k, v []byte)
	// Next moves to the next key.
	Next() (k, v []byte)
}

// loadErasures reads the pending erasures from a cursor in the bucket of marks.
// The result is nil if there is none.
func loadErasures(c seeker) (pendingErasures, error) {
	m := make(pendingErasures)
	for _, typ := range []byte{markNamespace, markUser} {
		for k, val := c.Seek([]byte{typ}); k != nil && k[0] == typ; k, val = c.Next() {
			e, err := readErasure(k, val)
			if err != nil {
				return nil, err
			}
			_, ns, rest, _ := parseMark(k)
			m.put(driver.Erasure{Namespace: ns, User: string(rest)}, e.epoch)
		}
	}
	return m.orNil(), nil
}
