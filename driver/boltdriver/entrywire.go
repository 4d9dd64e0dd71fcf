package boltdriver

import (
	"encoding/binary"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// An entry's value is [checksum, epoch, value]: the namespace's erase epoch
// when it was written.
const entryElements = 3

func entrySize(value []byte) int { return sumEnd + 9 + 5 + len(value) }

func appendEntry(b, key []byte, epoch uint64, value []byte) []byte {
	start := len(b)
	b = appendBin(appendU64(appendEnvelope(b, entryElements), epoch), value)
	seal(key, b[start:])
	return b
}

// entry is a stored entry. Its value shares memory with the stored one.
type entry struct {
	epoch uint64
	value []byte
}

func readEntry(key, v []byte) (entry, error) {
	w := openSealed(key, v, entryElements-1)
	e := entry{epoch: w.u64(), value: w.bin()}
	if !w.done() {
		k, _ := parseEntryKey(key)
		return entry{}, fmt.Errorf("%w: entry %q of %q, kind %d in namespace %d", driver.ErrCorrupt, k.Name, k.Owner, k.Kind, k.Namespace)
	}
	return e, nil
}

// An event's value is [checksum, time, id, kind, status, version, last_seq].
const eventElements = 7

func eventSize(e *driver.Event) int { return sumEnd + 9 + 2 + len(e.ID) + 2 + 2 + 9 + 9 }

func appendEvent(b, key []byte, e *driver.Event) []byte {
	start := len(b)
	b = appendStr(appendI64(appendEnvelope(b, eventElements), e.Time), e.ID)
	b = appendU8(appendU8(b, uint8(e.Kind)), e.Status)
	b = appendU64(appendU64(b, e.Version), e.LastSeq)
	seal(key, b[start:])
	return b
}

func readEvent(key, v []byte) (driver.Event, error) {
	w := openSealed(key, v, eventElements-1)
	e := driver.Event{Time: w.i64(), ID: string(w.str()), Kind: driver.EventKind(w.u8()), Status: w.u8()}
	e.Version, e.LastSeq = w.u64(), w.u64()
	ns, pos, ok := parsePair(key)
	if !ok || !w.done() {
		return driver.Event{}, fmt.Errorf("%w: event %d in namespace %d", driver.ErrCorrupt, pos, ns)
	}
	e.Position = pos
	return e, nil
}

// counters are what one namespace holds, and the ends of its feed.
// Their value is [checksum, sessions of each status …, messages, bytes, head,
// tail, epoch].
type counters struct {
	driver.Usage
	head, tail uint64
	epoch      uint64 // counts the erasures in this namespace
}

const (
	counterElements = 1 + driver.Statuses + 5
	countersSize    = sumEnd + 9*(counterElements-1)
)

func appendCounters(b, key []byte, c *counters) []byte {
	start := len(b)
	b = appendEnvelope(b, counterElements)
	for _, n := range c.Sessions {
		b = appendU64(b, n)
	}
	b = appendU64(appendU64(b, c.Messages), c.Bytes)
	b = appendU64(appendU64(appendU64(b, c.head), c.tail), c.epoch)
	seal(key, b[start:])
	return b
}

// readCounters reads the counters at key; an absent value is all zero.
func readCounters(key, v []byte) (c counters, err error) {
	if v == nil {
		return c, nil
	}
	w := openSealed(key, v, counterElements-1)
	for i := range c.Sessions {
		c.Sessions[i] = w.u64()
	}
	c.Messages, c.Bytes = w.u64(), w.u64()
	c.head, c.tail, c.epoch = w.u64(), w.u64(), w.u64()
	if !w.done() || len(key) != 8 {
		return counters{}, fmt.Errorf("%w: counters of namespace %d", driver.ErrCorrupt, binary.BigEndian.Uint64(append(make([]byte, 8), key...)[len(key):]))
	}
	return c, nil
}

func addTo(u *driver.Usage, h *recordHeader) {
	u.Sessions[h.status]++
	u.Messages += h.messages
	u.Bytes += h.bytes
}

// takeFrom never wraps around: a wrong counter is a finding of Check, not a
// huge number.
func takeFrom(u *driver.Usage, h *recordHeader) {
	u.Sessions[h.status] -= min(1, u.Sessions[h.status])
	u.Messages -= min(h.messages, u.Messages)
	u.Bytes -= min(h.bytes, u.Bytes)
}
