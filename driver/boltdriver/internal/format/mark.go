package format

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
)

// Bucket g holds marks. They name invisible data that Reclaim has yet to
// remove, and logs that belong to no record yet.
//
//	type      key after the type         value after the checksum
//	d dead    ns8 incarnation16          erased user, whether erased
//	s staged  ns8 incarnation16          until, epoch
//	h hole    ns8 incarnation16 from8 to8
//	f feed    ns8                        (events at or before the tail)
//	n erased  ns8                        epoch, what was removed for it
//	u erased  ns8 user                   the same
//
// Records, entries and staged logs carry the epoch that their namespace had
// when they were written. An erasure covers data with an earlier epoch than its
// mark.
const (
	// DeadLog says that Reclaim must remove all data of an incarnation.
	DeadLog byte = 'd'
	// StagedLog says that a log belongs to no record yet.
	StagedLog byte = 's'
	// Hole says that the messages of a span were dropped.
	Hole byte = 'h'
	// TrimmedFeed says that Reclaim must remove the events at or before the
	// tail of a feed.
	TrimmedFeed byte = 'f'
	// ErasedNamespace says that a namespace was erased.
	ErasedNamespace byte = 'n'
	// ErasedUser says that a user of a namespace was erased.
	ErasedUser byte = 'u'
)

// Sizes of the values of marks, in bytes.
const (
	// BareSize is the length of the value that AppendBare appends.
	BareSize = envelopeSize
	// StagedSize is the length of the value that AppendStaged appends.
	StagedSize = envelopeSize + 2*9
	// ErasureSize is the length of the value that AppendErasure appends.
	ErasureSize = envelopeSize + 5*9
)

// DeadSize is the length of the value that AppendDead appends.
func DeadSize(d DeadMark) int { return envelopeSize + 4 + len(d.UserID) }

// AppendLogMarkKey appends the key of a mark DeadLog or StagedLog, or the
// common prefix of the keys of all marks Hole of one log.
func AppendLogMarkKey(b []byte, typ byte, ns uint64, inc driver.Incarnation) []byte {
	return AppendLogPrefix(append(b, typ), ns, inc)
}

// AppendHoleKey appends the key of a mark Hole.
func AppendHoleKey(b []byte, ns uint64, inc driver.Incarnation, s driver.Span) []byte {
	return AppendU64Key(AppendU64Key(AppendLogMarkKey(b, Hole, ns, inc), s.From), s.To)
}

// AppendErasureKey appends the key of a mark ErasedNamespace or ErasedUser.
func AppendErasureKey(b []byte, e driver.Erasure) []byte {
	if e.UserID == "" {
		return AppendU64Key(append(b, ErasedNamespace), e.Namespace)
	}
	return append(AppendU64Key(append(b, ErasedUser), e.Namespace), e.UserID...)
}

// ParseMark splits a key of Marks into its type, its namespace and the rest.
func ParseMark(k []byte) (typ byte, ns uint64, rest []byte, ok bool) {
	if len(k) < 9 {
		return 0, 0, nil, false
	}
	return k[0], binary.BigEndian.Uint64(k[1:]), k[9:], true
}

// ParseLogMark reads the rest of the key of a mark DeadLog, StagedLog or Hole.
// The span is zero unless the mark is a Hole.
func ParseLogMark(rest []byte) (inc driver.Incarnation, hole driver.Span, ok bool) {
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

// DeadMark is the value of a mark d: a log without a session, to be reclaimed.
type DeadMark struct {
	UserID string // the user of the session; "" = none
	Erased bool   // an erasure left the log, and counts it when it is reclaimed
}

// AppendDead appends the value of a mark DeadLog at key.
func AppendDead(b, key []byte, d DeadMark) []byte {
	start := len(b)
	var erased uint8
	if d.Erased {
		erased = 1
	}
	b = msgpack.AppendUint8(msgpack.AppendStr8(appendEnvelope(b, 3), d.UserID), erased)
	seal(key, b[start:])
	return b
}

// ReadDead reads the value of a mark DeadLog. It shares no memory with v.
func ReadDead(key, v []byte) (DeadMark, error) {
	w := openSealed(key, v, 2)
	d := DeadMark{UserID: string(w.Str8()), Erased: w.Uint8() == 1}
	return d, markError(&w, key)
}

// StagedMark is the value of a mark s: a log that waits for its session.
type StagedMark struct {
	Until int64  // Unix milliseconds after which it is reclaimed
	Epoch uint64 // the erase epoch when it was staged
}

// AppendStaged appends the value of a mark StagedLog at key.
func AppendStaged(b, key []byte, s StagedMark) []byte {
	start := len(b)
	b = msgpack.AppendUint64(msgpack.AppendInt64(appendEnvelope(b, 3), s.Until), s.Epoch)
	seal(key, b[start:])
	return b
}

// ReadStaged reads the value of a mark StagedLog.
func ReadStaged(key, v []byte) (StagedMark, error) {
	w := openSealed(key, v, 2)
	s := StagedMark{Until: w.Int64(), Epoch: w.Uint64()}
	return s, markError(&w, key)
}

// AppendBare appends the value of a mark Hole or TrimmedFeed at key.
func AppendBare(b, key []byte) []byte {
	start := len(b)
	b = appendEnvelope(b, 1)
	seal(key, b[start:])
	return b
}

// ReadBare checks the value of a mark Hole or TrimmedFeed.
func ReadBare(key, v []byte) error {
	w := openSealed(key, v, 0)
	return markError(&w, key)
}

// ErasureMark is the value of a mark n or u.
type ErasureMark struct {
	Epoch uint64 // data with an earlier epoch is erased

	// Sessions, Messages, Bytes and Entries count data of the erasure that was
	// removed outside of Reclaim and is not reported yet.
	Sessions, Messages, Bytes, Entries uint64
}

// AppendErasure appends the value of a mark ErasedNamespace or ErasedUser at
// key.
func AppendErasure(b, key []byte, e *ErasureMark) []byte {
	start := len(b)
	b = msgpack.AppendUint64(msgpack.AppendUint64(appendEnvelope(b, 6), e.Epoch), e.Sessions)
	b = msgpack.AppendUint64(msgpack.AppendUint64(msgpack.AppendUint64(b, e.Messages), e.Bytes), e.Entries)
	seal(key, b[start:])
	return b
}

// ReadErasure reads the value of a mark ErasedNamespace or ErasedUser.
func ReadErasure(key, v []byte) (ErasureMark, error) {
	w := openSealed(key, v, 5)
	e := ErasureMark{
		Epoch: w.Uint64(), Sessions: w.Uint64(), Messages: w.Uint64(), Bytes: w.Uint64(), Entries: w.Uint64(),
	}
	return e, markError(&w, key)
}

func markError(w *msgpack.FixedReader, key []byte) error {
	if w.Done() {
		return nil
	}
	return DamagedMark(key)
}

// DamagedMark is the error of a damaged mark. It wraps driver.ErrCorrupt.
func DamagedMark(key []byte) error {
	typ, ns, rest, _ := ParseMark(key)
	return fmt.Errorf("%w: mark %q %x in namespace %d", driver.ErrCorrupt, typ, rest, ns)
}

// Add adds the counts of o. The epoch stays.
func (m *ErasureMark) Add(o *ErasureMark) {
	m.Sessions += o.Sessions
	m.Messages += o.Messages
	m.Bytes += o.Bytes
	m.Entries += o.Entries
}

// Holes returns the spans of a log that were dropped and are still there,
// from a cursor in the bucket of marks.
func Holes(c Seeker, ns uint64, inc driver.Incarnation) []driver.Span {
	var spans []driver.Span
	prefix := AppendLogMarkKey(make([]byte, 0, 32), Hole, ns, inc)
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if _, hole, ok := ParseLogMark(k[9:]); ok {
			spans = append(spans, hole)
		}
	}
	return spans
}
