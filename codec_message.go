package seshat

import (
	"crypto/sha256"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
)

const (
	messageFields = 18 // in the body of a message
	givenFields   = 15 // the first of them, which the caller gives

	shortMessage = 512 // bytes of content that are hashed with one copy
)

// bodyFields is the layout of a message. Its id and number are fields of
// driver.Message and not repeated in the body. The digest is over the first
// givenFields.
func (m *Message) bodyFields() [messageFields]any {
	return [messageFields]any{
		(*uint8)(&m.Role),
		(*uint8)(&m.ContentType),
		&m.Content,
		&m.ToolName,
		&m.ToolCallID,
		&m.ToolCalls,
		(*[]byte)(&m.ToolInputs),
		(*[]byte)(&m.ToolOutputs),
		&m.ToolStatus,
		&m.Author, // 10
		(*msgpack.OptBin)(&m.Metadata.enc),
		&m.Tokens,
		(*msgpack.SpanMillis)(&m.Latency),
		(*msgpack.OptMillis)(&m.Timestamp),
		&m.Payload,
		(*msgpack.Millis)(&m.AppendedAt),
		&m.Summary.From,
		&m.Summary.To,
	}
}

// encodeMessage appends the body of a message.
func encodeMessage(b []byte, m *Message) []byte {
	fields := m.bodyFields()
	return msgpack.AppendArrayOf(b, bodyVersion, fields[:], m.extra)
}

// messageDigest identifies what the caller gave, except the id, so it is taken
// before defaults are filled in. Times count in the precision in which they are
// stored. A field of a later version must enter it only if it is given:
// otherwise messages that were appended before would count as different.
func messageDigest(m *Message) [16]byte {
	fields := m.bodyFields()
	given := fields[:givenFields]
	var sum [sha256.Size]byte
	if m.size() > shortMessage {
		sum = msgpack.SumArray(given)
	} else {
		var buf [2 * shortMessage]byte
		sum = sha256.Sum256(msgpack.AppendFields(msgpack.AppendArray(buf[:0], givenFields), given))
	}
	return [16]byte(sum[:])
}

// decodeMessage decodes a stored message. The result shares only the id with
// it. ErrCorrupt, ErrFormat.
func decodeMessage(dm *driver.Message) (Message, error) {
	var m Message
	fields := m.bodyFields()
	extra, err := readBody(string(dm.Body), fields[:])
	if err != nil {
		return Message{}, err
	}
	m.ID, m.Seq, m.digest, m.extra = dm.ID, dm.Seq, dm.Digest, extra
	return m, nil
}
