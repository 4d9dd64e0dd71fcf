package format

import (
	"encoding/binary"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// A message's value is [checksum, digest, id, body], that of a message id
// [checksum, seq, digest].
const (
	messageElements = 4
	refElements     = 3
	MessageIDSize   = EnvelopeSize + 9 + 18
)

func MessageSize(m *driver.Message) int { return EnvelopeSize + 18 + 2 + len(m.ID) + 5 + len(m.Body) }

func AppendMessage(b, key []byte, m *driver.Message) []byte {
	start := len(b)
	b = appendBin16(appendEnvelope(b, messageElements), m.Digest)
	b = appendBin(appendStr(b, m.ID), m.Body)
	seal(key, b[start:])
	return b
}

// ReadMessage reads the message at key. ID and Body share memory with v.
func ReadMessage(key, v []byte, m *driver.Message) error {
	w := openSealed(key, v, messageElements-1)
	m.Digest = w.bin16()
	m.ID = UnsafeString(w.str())
	m.Body = w.bin()
	if !w.done() || len(key) != LogPrefixLen+8 {
		return DamagedLog("message", key)
	}
	m.Seq = binary.BigEndian.Uint64(key[LogPrefixLen:])
	return nil
}

// Detach gives m memory of its own.
func Detach(m *driver.Message) {
	b := make([]byte, 0, len(m.Body)+len(m.ID))
	b = append(append(b, m.Body...), m.ID...)
	n := len(m.Body)
	m.Body = b[:n:n]
	m.ID = UnsafeString(b[n:])
}

func AppendMessageID(b, key []byte, m *driver.Message) []byte {
	start := len(b)
	b = appendBin16(appendU64(appendEnvelope(b, refElements), m.Seq), m.Digest)
	seal(key, b[start:])
	return b
}

func ReadMessageID(key, v []byte) (driver.Ref, error) {
	w := openSealed(key, v, refElements-1)
	r := driver.Ref{Found: true, Seq: w.u64(), Digest: w.bin16()}
	if !w.done() {
		return driver.Ref{}, DamagedLog("message id", key)
	}
	return r, nil
}

func DamagedLog(what string, key []byte) error {
	ns, inc, rest, _ := ParseLogPrefix(key)
	return fmt.Errorf("%w: %s %x of incarnation %x in namespace %d", driver.ErrCorrupt, what, rest, inc[:], ns)
}
