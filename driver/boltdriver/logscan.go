package boltdriver

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// logScan walks the messages of one log in a span, and skips holes.
type logScan struct {
	*view
	ns    uint64
	inc   driver.Incarnation
	span  driver.Span
	holes []driver.Span
	desc  bool

	cursor cursor
	key    []byte // the key to seek; it begins with the prefix of the log
}

func seqOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[format.LogPrefixLen:]) }

// first returns the first message's key and value, or nil.
func (s *logScan) first() (k, v []byte) {
	s.cursor = s.view.cursor(format.Log)
	if s.desc {
		return s.skipHoles(s.down(s.span.To))
	}
	return s.skipHoles(s.up(s.span.From))
}

// next returns the next message's key and value, or nil.
func (s *logScan) next() (k, v []byte) {
	if s.desc {
		return s.skipHoles(s.cursor.prev())
	}
	return s.skipHoles(s.cursor.Next())
}

// up moves to the first message at seq or above.
func (s *logScan) up(seq uint64) (k, v []byte) {
	s.key = format.AppendMessageKey(s.key[:0], s.ns, s.inc, seq)
	return s.cursor.Seek(s.key)
}

// down moves to the last message at seq or below.
func (s *logScan) down(seq uint64) (k, v []byte) {
	if seq < math.MaxUint64 {
		s.up(seq + 1)
	} else {
		s.key = format.AppendMessageKey(s.key[:0], s.ns, s.inc, seq)
	}
	return s.cursor.before(s.key)
}

// skipHoles moves past holes, and ends the walk outside the span.
func (s *logScan) skipHoles(k, v []byte) ([]byte, []byte) {
	for s.within(k) {
		hole, ok := format.FindSpan(s.holes, seqOf(k))
		switch {
		case !ok:
			return k, v
		case s.desc:
			k, v = s.down(hole.From - 1)
		case hole.To == math.MaxUint64:
			return nil, nil
		default:
			k, v = s.up(hole.To + 1)
		}
	}
	return nil, nil
}

func (s *logScan) within(k []byte) bool {
	if len(k) != format.LogPrefixLen+8 || !bytes.Equal(k[:format.LogPrefixLen], s.key[:format.LogPrefixLen]) {
		return false
	}
	seq := seqOf(k)
	return s.span.From <= seq && seq <= s.span.To
}

// before moves to the last key below key.
func (c *cursor) before(key []byte) (k, v []byte) {
	if k, _ := c.Seek(key); k == nil {
		return c.last()
	}
	return c.prev()
}

// eachOwnedKey calls visit for every key that an incarnation owns, until visit
// returns false, and reports whether visit saw all keys.
func (v *view) eachOwnedKey(ns uint64, inc driver.Incarnation, visit func(format.Bucket, []byte) bool) bool {
	prefix := format.AppendLogPrefix(make([]byte, 0, format.LogPrefixLen), ns, inc)
	for _, in := range []format.Bucket{format.Log, format.IDs} {
		if !v.eachPrefixed(in, prefix, visit) {
			return false
		}
	}
	hole := format.AppendLogMarkKey(make([]byte, 0, 32), format.Hole, ns, inc)
	return v.eachPrefixed(format.Marks, hole, visit) && v.eachOwnedEntry(ns, driver.KindSession, string(inc[:]), visit)
}

// eachPrefixed calls visit for every key with the prefix, until visit returns
// false, and reports whether visit saw all keys.
func (v *view) eachPrefixed(in format.Bucket, prefix []byte, visit func(format.Bucket, []byte) bool) bool {
	c := v.cursor(in)
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if !visit(in, k) {
			return false
		}
	}
	return true
}

// eachOwnedEntry calls visit for every entry of one owner, of all kinds in
// class, which is KindUser or KindSession. It stops and reports like
// eachPrefixed.
func (v *view) eachOwnedEntry(ns uint64, class uint8, owner string, visit func(format.Bucket, []byte) bool) bool {
	c := v.cursor(format.Entries)
	var key []byte
	for kind := int(class); kind < int(class)+0x40; kind++ {
		key = append(format.AppendU64Key(key[:0], ns), byte(kind))
		k, _ := c.Seek(key)
		if len(k) < 10 || format.NamespaceOf(k) != ns || int(k[8]) >= int(class)+0x40 {
			return true // no kind is left
		}
		kind = int(k[8])
		key = format.AppendOwnerPrefix(key[:0], ns, byte(kind), owner)
		if !v.eachPrefixed(format.Entries, key, visit) {
			return false
		}
	}
	return true
}
