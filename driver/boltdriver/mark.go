package boltdriver

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// Bucket g holds marks: what is invisible already and still to be removed by
// Reclaim, and logs that belong to no record yet.
//
//	type      key after the type         value after the checksum
//	d dead    ns8 incarnation16          erased user, whether erased
//	s staged  ns8 incarnation16          until, epoch
//	h hole    ns8 incarnation16 from8 to8
//	f feed    ns8                        (events at or before the tail)
//	n erased  ns8                        epoch, sessions, messages, bytes, entries
//	u erased  ns8 user                   the same
//
// Records, entries and staged logs carry the epoch of their namespace at the
// time they were written; those of an earlier epoch than the mark are erased.
const (
	markDead      byte = 'd'
	markStaged    byte = 's'
	markHole      byte = 'h'
	markFeed      byte = 'f'
	markNamespace byte = 'n'
	markUser      byte = 'u'
)

// Sizes of the values of marks, in bytes.
const (
	bareSize    = sumEnd
	stagedSize  = sumEnd + 2*9
	erasureSize = sumEnd + 5*9
)

// deadSize is the length of the value that appendDead appends.
func deadSize(d deadMark) int { return sumEnd + 4 + len(d.user) }

func appendLogMarkKey(b []byte, typ byte, ns uint64, inc driver.Incarnation) []byte {
	return appendLogPrefix(append(b, typ), ns, inc)
}

func appendHoleKey(b []byte, ns uint64, inc driver.Incarnation, s driver.Span) []byte {
	return appendU64Key(appendU64Key(appendLogMarkKey(b, markHole, ns, inc), s.From), s.To)
}

func appendErasureKey(b []byte, e driver.Erasure) []byte {
	if e.User == "" {
		return appendU64Key(append(b, markNamespace), e.Namespace)
	}
	return append(appendU64Key(append(b, markUser), e.Namespace), e.User...)
}

// parseMark splits a key of g into its type, namespace and the rest.
func parseMark(k []byte) (typ byte, ns uint64, rest []byte, ok bool) {
	if len(k) < 9 {
		return 0, 0, nil, false
	}
	return k[0], binary.BigEndian.Uint64(k[1:]), k[9:], true
}

// parseLogMark reads the rest of the key of a mark d, s or h.
func parseLogMark(rest []byte) (inc driver.Incarnation, hole driver.Span, ok bool) {
	copy(inc[:], rest)
	switch len(rest) {
	case 16:
		return inc, hole, true
	case 32:
		hole.From = binary.BigEndian.Uint64(rest[16:])
		hole.To = binary.BigEndian.Uint64(rest[24:])
		return inc, hole, true
	}
	return inc, hole, false
}

// deadMark is the value of a mark d. An erased log is one that an erasure left,
// and is counted for it.
type deadMark struct {
	user   string
	erased bool
}

func appendDead(b, key []byte, d deadMark) []byte {
	start := len(b)
	var erased uint8
	if d.erased {
		erased = 1
	}
	b = appendU8(appendStr(appendEnvelope(b, 3), d.user), erased)
	seal(key, b[start:])
	return b
}

func readDead(key, v []byte) (deadMark, error) {
	w := openSealed(key, v, 2)
	d := deadMark{user: string(w.str()), erased: w.u8() == 1}
	return d, markError(&w, key)
}

// stagedMark is the value of a mark s.
type stagedMark struct {
	until int64
	epoch uint64
}

func appendStaged(b, key []byte, s stagedMark) []byte {
	start := len(b)
	b = appendU64(appendI64(appendEnvelope(b, 3), s.until), s.epoch)
	seal(key, b[start:])
	return b
}

func readStaged(key, v []byte) (stagedMark, error) {
	w := openSealed(key, v, 2)
	s := stagedMark{until: w.i64(), epoch: w.u64()}
	return s, markError(&w, key)
}

// appendBare is the value of a mark h or f.
func appendBare(b, key []byte) []byte {
	start := len(b)
	b = appendEnvelope(b, 1)
	seal(key, b[start:])
	return b
}

// readBare checks the value of a mark h or f.
func readBare(key, v []byte) error {
	w := openSealed(key, v, 0)
	return markError(&w, key)
}

// erasure is the value of a mark n or u: its epoch, and what was removed for it
// outside Reclaim and not yet reported.
type erasure struct {
	epoch                              uint64
	sessions, messages, bytes, entries uint64
}

func appendErasure(b, key []byte, e *erasure) []byte {
	start := len(b)
	b = appendU64(appendU64(appendEnvelope(b, 6), e.epoch), e.sessions)
	b = appendU64(appendU64(appendU64(b, e.messages), e.bytes), e.entries)
	seal(key, b[start:])
	return b
}

func readErasure(key, v []byte) (erasure, error) {
	w := openSealed(key, v, 5)
	e := erasure{epoch: w.u64(), sessions: w.u64(), messages: w.u64(), bytes: w.u64(), entries: w.u64()}
	return e, markError(&w, key)
}

func markError(w *fixedReader, key []byte) error {
	if w.done() {
		return nil
	}
	return damagedMark(key)
}

// damagedMark names a damaged mark. It wraps driver.ErrCorrupt.
func damagedMark(key []byte) error {
	typ, ns, rest, _ := parseMark(key)
	return fmt.Errorf("%w: mark %q %x in namespace %d", driver.ErrCorrupt, typ, rest, ns)
}

func (m *erasure) add(o *erasure) {
	m.sessions += o.sessions
	m.messages += o.messages
	m.bytes += o.bytes
	m.entries += o.entries
}

// readHoles returns the spans of a log that were dropped and are still there,
// from a cursor in the bucket of marks.
func readHoles(c seeker, ns uint64, inc driver.Incarnation) []driver.Span {
	var spans []driver.Span
	prefix := appendLogMarkKey(make([]byte, 0, 32), markHole, ns, inc)
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if _, hole, ok := parseLogMark(k[9:]); ok {
			spans = append(spans, hole)
		}
	}
	return spans
}
