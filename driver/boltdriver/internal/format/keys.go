package format

import (
	"encoding/binary"
	"math"

	"github.com/seshatdb/seshat/driver"
)

// Keys. Every part but the last is of fixed width or carries its length, so no
// id, name or user is a prefix of another's data. Numbers are big-endian;
// signed ones have their sign bit flipped, so that bytes order like numbers.
//
//	bucket      key                            value
//	r records   ns8 id                         record
//	c created   ns8 created8 id                -
//	u users     ns8 len1 user created8 id      -
//	a active    ns8 minute8 id                 -
//	x due       due8 ns8 id                    -
//	o overdue   expires8 ns8 id                -   only if Expires < Due
//	s owners    incarnation16 ns8 id           -   the record that owns a log
//	l log       ns8 incarnation16 seq8         message
//	i ids       ns8 incarnation16 message-id   number and digest
//	e entries   ns8 kind1 len1 owner name      entry
//	f feed      ns8 position8                  event
//	n counters  ns8                            counters
//	g marks     type1 ns8 …                    see mark.go
//	m meta      name                           see schema.go
//
// A record's keys in c, u, a, x, o and s follow from its header. Deleting
// a record, or moving it in an index, needs no search.

// AppendU64Key appends a number, as keys hold it.
func AppendU64Key(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

// AppendTimeKey appends a time in milliseconds, or in minutes, as keys hold it.
func AppendTimeKey(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(v)^(1<<63))
}

func timeOf(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ (1 << 63)) }

// AppendRecordKey appends a key of Records.
func AppendRecordKey[S ~string | ~[]byte](b []byte, ns uint64, id S) []byte {
	return append(AppendU64Key(b, ns), id...)
}

// ParseRecordKey reads a key of Records. The id is a copy.
func ParseRecordKey(k []byte) (driver.Key, bool) {
	if len(k) < 9 || len(k) > 8+driver.MaxNameBytes {
		return driver.Key{}, false
	}
	return driver.Key{Namespace: binary.BigEndian.Uint64(k), ID: string(k[8:])}, true
}

// AppendTimedKey appends a key of Created, or of Active: at is in milliseconds,
// or in minutes.
func AppendTimedKey[S ~string | ~[]byte](b []byte, ns uint64, at int64, id S) []byte {
	return append(AppendTimeKey(AppendU64Key(b, ns), at), id...)
}

// AppendUserPrefix appends what the keys of one user share in Users.
func AppendUserPrefix[S ~string | ~[]byte](b []byte, ns uint64, user S) []byte {
	b = append(AppendU64Key(b, ns), byte(len(user)))
	return append(b, user...)
}

// ParsePlace reads what follows the prefix of a key of Created, Users or
// Active.
func ParsePlace(rest []byte) (at int64, id []byte, ok bool) {
	if len(rest) < 9 {
		return 0, nil, false
	}
	return timeOf(rest), rest[8:], true
}

// ParseUserKey splits a key of Users.
func ParseUserKey(k []byte) (ns uint64, user []byte, at int64, id []byte, ok bool) {
	if len(k) < 9 || len(k) < 9+int(k[8]) {
		return 0, nil, 0, nil, false
	}
	n := 9 + int(k[8])
	at, id, ok = ParsePlace(k[n:])
	return binary.BigEndian.Uint64(k), k[9:n], at, id, ok
}

// AppendDueKey appends a key of Due or Overdue.
func AppendDueKey[S ~string | ~[]byte](b []byte, due int64, ns uint64, id S) []byte {
	return AppendRecordKey(AppendTimeKey(b, due), ns, id)
}

// ParseDueKey splits a key of Due or Overdue.
func ParseDueKey(k []byte) (due int64, ns uint64, id []byte, ok bool) {
	if len(k) < 17 {
		return 0, 0, nil, false
	}
	return timeOf(k), binary.BigEndian.Uint64(k[8:]), k[16:], true
}

// AppendOwnerKey appends a key of Owners. Incarnations ascend in time, so these
// keys do too.
func AppendOwnerKey(b []byte, inc driver.Incarnation, ns uint64, id []byte) []byte {
	return append(AppendU64Key(append(b, inc[:]...), ns), id...)
}

// ParseOwnerKey splits a key of Owners: record is the key of the record that
// owns the incarnation.
func ParseOwnerKey(k []byte) (inc driver.Incarnation, record []byte, ok bool) {
	copy(inc[:], k)
	if len(k) < 16+9 {
		return inc, nil, false
	}
	return inc, k[16:], true
}

// LogPrefixLen is the length of what AppendLogPrefix appends.
const LogPrefixLen = 8 + 16

// AppendLogPrefix appends what the keys of one incarnation share in Log and
// IDs.
func AppendLogPrefix(b []byte, ns uint64, inc driver.Incarnation) []byte {
	return append(AppendU64Key(b, ns), inc[:]...)
}

// ParseLogPrefix splits a key of Log or IDs. rest is the number or the id of
// the message.
func ParseLogPrefix(k []byte) (ns uint64, inc driver.Incarnation, rest []byte, ok bool) {
	if len(k) <= LogPrefixLen {
		return 0, inc, nil, false
	}
	copy(inc[:], k[8:])
	return binary.BigEndian.Uint64(k), inc, k[LogPrefixLen:], true
}

// AppendMessageKey appends a key of Log.
func AppendMessageKey(b []byte, ns uint64, inc driver.Incarnation, seq uint64) []byte {
	return AppendU64Key(AppendLogPrefix(b, ns, inc), seq)
}

// AppendMessageIDKey appends a key of IDs.
func AppendMessageIDKey(b []byte, ns uint64, inc driver.Incarnation, id string) []byte {
	return append(AppendLogPrefix(b, ns, inc), id...)
}

// AppendOwnerPrefix appends what the entries of one kind and owner share in
// Entries.
func AppendOwnerPrefix[S ~string | ~[]byte](b []byte, ns uint64, kind uint8, owner S) []byte {
	b = append(AppendU64Key(b, ns), kind, byte(len(owner)))
	return append(b, owner...)
}

// AppendEntryKey appends a key of Entries.
func AppendEntryKey(b []byte, k *driver.EntryKey) []byte {
	return append(AppendOwnerPrefix(b, k.Namespace, k.Kind, k.Owner), k.Name...)
}

// ParseEntryKey reads a key of Entries. Owner and name are copies.
func ParseEntryKey(k []byte) (driver.EntryKey, bool) {
	if len(k) < 10 || len(k) < 10+int(k[9]) {
		return driver.EntryKey{}, false
	}
	n := 10 + int(k[9])
	return driver.EntryKey{
		Namespace: binary.BigEndian.Uint64(k),
		Kind:      k[8],
		Owner:     string(k[10:n]),
		Name:      string(k[n:]),
	}, true
}

// AppendFeedKey appends a key of Feed.
func AppendFeedKey(b []byte, ns, pos uint64) []byte {
	return AppendU64Key(AppendU64Key(b, ns), pos)
}

// ParseFeedKey splits a key of Feed into the namespace and the position.
func ParseFeedKey(k []byte) (a, b uint64, ok bool) {
	if len(k) != 16 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(k[8:]), true
}

// PrefixEnd returns the first key beyond all that begin with prefix, or nil if
// there is none. It changes prefix.
func PrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != math.MaxUint8 {
			prefix[i]++
			return prefix[:i+1]
		}
	}
	return nil
}

// NamespaceOf returns the namespace of a key that begins with one.
func NamespaceOf(k []byte) uint64 { return binary.BigEndian.Uint64(k) }

// FindSpan returns the first of the spans that holds seq, if one does.
func FindSpan(spans []driver.Span, seq uint64) (driver.Span, bool) {
	for _, s := range spans {
		if s.From <= seq && seq <= s.To {
			return s, true
		}
	}
	return driver.Span{}, false
}
