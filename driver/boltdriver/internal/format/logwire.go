package format

import (
	"encoding/binary"
	"fmt"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
)

// A message's value is [checksum, digest, id, body], that of a message id
// [checksum, seq, digest].
const (
	messageElements = 4
	refElements     = 3
	// MessageIDSize is the length of the value that AppendMessageID appends.
	MessageIDSize = envelopeSize + 9 + 18
)

// MessageSize is the length of the value that AppendMessage appends.
func MessageSize(m *driver.Message) int { return envelopeSize + 18 + 2 + len(m.ID) + 5 + len(m.Body) }

// AppendMessage appends the value of a message at key. Its number is the key's.
func AppendMessage(b, key []byte, m *driver.Message) []byte {
	start := len(b)
	b = msgpack.AppendBin16(appendEnvelope(b, messageElements), m.Digest)
	b = msgpack.AppendBin32(msgpack.AppendStr8(b, m.ID), m.Body)
	seal(key, b[start:])
	return b
}

// ReadMessage reads the message at key. ID and Body share memory with v.
func ReadMessage(key, v []byte, m *driver.Message) error {
	w := openSealed(key, v, messageElements-1)
	m.Digest = w.Bin16()
	m.ID = UnsafeString(w.Str8())
	m.Body = w.Bin32()
	if !w.Done() || len(key) != LogPrefixLen+8 {
		return DamagedLog("message", key)
	}
	m.Seq = binary.BigEndian.Uint64(key[LogPrefixLen:])
	return nil
}

// Detach gives m memory of its own, in one allocation.
func Detach(m *driver.Message) {
	b := make([]byte, 0, len(m.Body)+len(m.ID))
	b = append(append(b, m.Body...), m.ID...)
	n := len(m.Body)
	m.Body = b[:n:n]
	m.ID = UnsafeString(b[n:])
}

// AppendMessageID appends the value of the message's id at key: the message's
// number and digest.
func AppendMessageID(b, key []byte, m *driver.Message) []byte {
	start := len(b)
	b = msgpack.AppendBin16(msgpack.AppendUint64(appendEnvelope(b, refElements), m.Seq), m.Digest)
	seal(key, b[start:])
	return b
}

// ReadMessageID reads the value of the message id at key. It shares no memory
// with v.
func ReadMessageID(key, v []byte) (driver.Ref, error) {
	w := openSealed(key, v, refElements-1)
	r := driver.Ref{Found: true, Seq: w.Uint64(), Digest: w.Bin16()}
	if !w.Done() {
		return driver.Ref{}, DamagedLog("message id", key)
	}
	return r, nil
}

// DamagedLog is the error of a damaged value of Log or IDs: what is "message"
// or the like. It wraps driver.ErrCorrupt.
func DamagedLog(what string, key []byte) error {
	ns, inc, rest, _ := ParseLogPrefix(key)
	return fmt.Errorf("%w: %s %x of incarnation %x in namespace %d", driver.ErrCorrupt, what, rest, inc[:], ns)
}
