package format

import (
	"encoding/binary"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
)

// An entry's value is [checksum, epoch, value]: the namespace's erase epoch
// when it was written.
const entryElements = 3

// EntrySize is the length of the value that AppendEntry appends.
func EntrySize(value []byte) int { return envelopeSize + 9 + 5 + len(value) }

// AppendEntry appends the value of an entry at key, written in that erase
// epoch.
func AppendEntry(b, key []byte, epoch uint64, value []byte) []byte {
	start := len(b)
	b = msgpack.AppendBin32(msgpack.AppendUint64(appendEnvelope(b, entryElements), epoch), value)
	seal(key, b[start:])
	return b
}

// EntryValue is a stored entry. Its value shares memory with the stored one.
type EntryValue struct {
	Epoch uint64 // the erase epoch when it was written
	Value []byte // shares memory with the stored value
}

// ReadEntry reads the value of the entry at key.
func ReadEntry(key, v []byte) (EntryValue, error) {
	w := openSealed(key, v, entryElements-1)
	e := EntryValue{Epoch: w.Uint64(), Value: w.Bin32()}
	if !w.Done() {
		k, _ := ParseEntryKey(key)
		return EntryValue{}, fmt.Errorf("%w: entry %q of %q, kind %d in namespace %d",
			driver.ErrCorrupt, k.Name, k.Owner, k.Kind, k.Namespace)
	}
	return e, nil
}

// An event's value is [checksum, time, id, kind, status, version, last_seq].
const eventElements = 7

// EventSize is the length of the value that AppendEvent appends.
func EventSize(e *driver.Event) int { return envelopeSize + 9 + 2 + len(e.ID) + 2 + 2 + 9 + 9 }

// AppendEvent appends the value of an event at key. Its position is the key's.
func AppendEvent(b, key []byte, e *driver.Event) []byte {
	start := len(b)
	b = msgpack.AppendStr8(msgpack.AppendInt64(appendEnvelope(b, eventElements), e.Time), e.ID)
	b = msgpack.AppendUint8(msgpack.AppendUint8(b, uint8(e.Kind)), e.Status)
	b = msgpack.AppendUint64(msgpack.AppendUint64(b, e.Version), e.LastSeq)
	seal(key, b[start:])
	return b
}

// ReadEvent reads the event at key. It shares no memory with v.
func ReadEvent(key, v []byte) (driver.Event, error) {
	w := openSealed(key, v, eventElements-1)
	e := driver.Event{Time: w.Int64(), ID: string(w.Str8()), Kind: driver.EventKind(w.Uint8()), Status: w.Uint8()}
	e.Version = w.Uint64()
	e.LastSeq = w.Uint64()
	ns, pos, ok := ParseFeedKey(key)
	if !ok || !w.Done() {
		return driver.Event{}, fmt.Errorf("%w: event %d in namespace %d", driver.ErrCorrupt, pos, ns)
	}
	e.Position = pos
	return e, nil
}

// Counters count what one namespace holds. Head and Tail are the ends of its
// feed: the newest position, and the position before the oldest kept event.
// Their value is [checksum, sessions of each status …, messages, bytes, head,
// tail, epoch].
type Counters struct {
	driver.Usage
	Head, Tail uint64
	Epoch      uint64 // counts the erasures in this namespace
}

const (
	counterElements = 1 + driver.Statuses + 5
	// CountersSize is the length of the value that AppendCounters appends.
	CountersSize = envelopeSize + 9*(counterElements-1)
)

// AppendCounters appends the value of the counters at key.
func AppendCounters(b, key []byte, c *Counters) []byte {
	start := len(b)
	b = appendEnvelope(b, counterElements)
	for _, n := range c.Sessions {
		b = msgpack.AppendUint64(b, n)
	}
	b = msgpack.AppendUint64(msgpack.AppendUint64(b, c.Messages), c.Bytes)
	b = msgpack.AppendUint64(msgpack.AppendUint64(msgpack.AppendUint64(b, c.Head), c.Tail), c.Epoch)
	seal(key, b[start:])
	return b
}

// ReadCounters reads the counters at key; an absent value is all zero.
func ReadCounters(key, v []byte) (c Counters, err error) {
	if v == nil {
		return c, nil
	}
	w := openSealed(key, v, counterElements-1)
	for i := range c.Sessions {
		c.Sessions[i] = w.Uint64()
	}
	c.Messages = w.Uint64()
	c.Bytes = w.Uint64()
	c.Head = w.Uint64()
	c.Tail = w.Uint64()
	c.Epoch = w.Uint64()
	if !w.Done() || len(key) != 8 {
		ns := binary.BigEndian.Uint64(append(make([]byte, 8), key...)[len(key):])
		return Counters{}, fmt.Errorf("%w: counters of namespace %d", driver.ErrCorrupt, ns)
	}
	return c, nil
}

// AddRecord adds a record to u.
func AddRecord(u *driver.Usage, h *RecordHeader) {
	u.Sessions[h.Status]++
	u.Messages += h.Messages
	u.Bytes += h.Bytes
}

// SubtractRecord takes a record off u. It never wraps around: a wrong counter
// is a finding of Check, not a huge number.
func SubtractRecord(u *driver.Usage, h *RecordHeader) {
	u.Sessions[h.Status] -= min(1, u.Sessions[h.Status])
	u.Messages -= min(h.Messages, u.Messages)
	u.Bytes -= min(h.Bytes, u.Bytes)
}
