package format

import (
	"maps"

	"github.com/seshatdb/seshat/driver"
)

// PendingErasures are the pending marks n and u, in memory. nil is the normal
// case: there is none. They are not changed once a snapshot carries them.
type PendingErasures map[uint64]*NamespaceErasures

// NamespaceErasures is what is erased of one namespace.
type NamespaceErasures struct {
	Epoch uint64            // of the namespace's own erasure, or 0
	Users map[string]uint64 // epoch of each erased user
}

// CoversRecord reports whether the record with this header is erased.
func (m PendingErasures) CoversRecord(ns uint64, h *RecordHeader) bool {
	s := m[ns]
	return s != nil && (h.Epoch < s.Epoch || h.Epoch < s.Users[UnsafeString(h.UserID)])
}

// Counts reports whether the namespace's counters include the record: they
// began anew when the namespace was erased.
func (m PendingErasures) Counts(ns uint64, h *RecordHeader) bool {
	s := m[ns]
	return s == nil || h.Epoch >= s.Epoch
}

// CoversEntry reports whether an entry is erased by its own key. That of a
// session is also erased with its record.
func (m PendingErasures) CoversEntry(k *driver.EntryKey, epoch uint64) bool {
	s := m[k.Namespace]
	if s == nil {
		return false
	}
	owned := k.Kind&driver.KindUser != 0 && epoch < s.Users[k.Owner]
	return owned || epoch < s.Epoch
}

// CoversLog reports whether a log staged in this epoch is erased.
func (m PendingErasures) CoversLog(ns, epoch uint64) bool {
	s := m[ns]
	return s != nil && epoch < s.Epoch
}

// Covering returns the erasure that covers the record.
func (m PendingErasures) Covering(ns uint64, h *RecordHeader) driver.Erasure {
	e := driver.Erasure{Namespace: ns}
	if s := m[ns]; s != nil && h.Epoch >= s.Epoch {
		e.UserID = string(h.UserID)
	}
	return e
}

// Clone copies m, so that put and drop may change it.
func (m PendingErasures) Clone() PendingErasures {
	c := make(PendingErasures, len(m))
	for ns, s := range m {
		c[ns] = &NamespaceErasures{Epoch: s.Epoch, Users: maps.Clone(s.Users)}
	}
	return c
}

// Add adds an erasure. One of a namespace takes the place of those of its
// users.
func (m PendingErasures) Add(e driver.Erasure, epoch uint64) {
	s := m[e.Namespace]
	if s == nil {
		s = &NamespaceErasures{}
		m[e.Namespace] = s
	}
	if e.UserID == "" {
		s.Epoch = epoch
		s.Users = nil
		return
	}
	if s.Users == nil {
		s.Users = make(map[string]uint64)
	}
	s.Users[e.UserID] = epoch
}

// Remove removes an erasure that was carried out.
func (m PendingErasures) Remove(e driver.Erasure) {
	s := m[e.Namespace]
	if e.UserID == "" {
		s.Epoch = 0
	} else {
		delete(s.Users, e.UserID)
	}
	if s.Epoch == 0 && len(s.Users) == 0 {
		delete(m, e.Namespace)
	}
}

// OrNil keeps the test for the normal case to a comparison with nil.
func (m PendingErasures) OrNil() PendingErasures {
	if len(m) == 0 {
		return nil
	}
	return m
}

// Seeker is a place in a bucket, as the engine's cursors are. Keys and values
// share memory with the transaction.
type Seeker interface {
	// Seek moves to key, or to the first key beyond it, and returns what is
	// there; nil if there is none.
	Seek(key []byte) (k, v []byte)
	// Next moves to the next key.
	Next() (k, v []byte)
}

// LoadErasures reads the pending erasures from a cursor in the bucket of marks.
// The result is nil if there is none.
func LoadErasures(c Seeker) (PendingErasures, error) {
	m := make(PendingErasures)
	for _, typ := range []byte{ErasedNamespace, ErasedUser} {
		for k, val := c.Seek([]byte{typ}); k != nil && k[0] == typ; k, val = c.Next() {
			e, err := ReadErasure(k, val)
			if err != nil {
				return nil, err
			}
			_, ns, rest, _ := ParseMark(k)
			m.Add(driver.Erasure{Namespace: ns, UserID: string(rest)}, e.Epoch)
		}
	}
	return m.OrNil(), nil
}
