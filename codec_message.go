package seshat

import (
	"crypto/sha256"
	"math"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
)

// A message, by the rules at bodyVersion. Its id and number are fields of
// driver.Message and not repeated:
//
//	 0 layout version
//	 1 role            2 content_type     3 content
//	 4 tool_name       5 tool_call_id     6 tool_calls
//	 7 tool_inputs     8 tool_outputs     9 tool_status    (7 and 8: or nil)
//	10 author         11 metadata or nil 12 tokens
//	13 latency in milliseconds           14 timestamp or nil
//	15 payload or nil
//	16 appended_at    17, 18 the range that it replaced
const messageFields = 19

// givenFields is how many of them the caller gives: 1 to 15.
const givenFields = 15

// encodeMessage appends the body of a message.
func encodeMessage(b []byte, m *Message) []byte {
	b = msgpack.AppendFields(b, messageFields, m.extra)
	b = msgpack.AppendUint(b, bodyVersion)
	b = appendGiven(b, m)
	b = msgpack.AppendInt(b, millisFromTime(m.AppendedAt))
	b = msgpack.AppendUint(b, m.Summary.From)
	b = msgpack.AppendUint(b, m.Summary.To)
	return append(b, m.extra...)
}

// messageDigest tells messages apart by what the caller gave, so it is taken
// before defaults are filled in. Times count in the precision in which they
// are stored. A field of a later version must enter it only where it is given,
// or messages that were appended before would count as different.
func messageDigest(m *Message) (d [16]byte) {
	var small [1024]byte
	b := appendGiven(msgpack.AppendArray(small[:0], givenFields), m)
	sum := sha256.Sum256(b)
	return [16]byte(sum[:])
}

// appendGiven appends what the caller gives but for the id, which is what a
// digest is compared under.
func appendGiven(b []byte, m *Message) []byte {
	b = msgpack.AppendUint(b, uint64(m.Role))
	b = msgpack.AppendUint(b, uint64(m.ContentType))
	b = msgpack.AppendText(b, m.Content)
	b = msgpack.AppendText(b, m.ToolName)
	b = msgpack.AppendText(b, m.ToolCallID)
	b = msgpack.AppendUint(b, m.ToolCalls)
	b = appendBytes(b, m.ToolInputs)
	b = appendBytes(b, m.ToolOutputs)
	b = msgpack.AppendText(b, m.ToolStatus)
	b = msgpack.AppendText(b, m.Author)
	b = appendDocument(b, m.Metadata)
	b = msgpack.AppendUint(b, m.Tokens)
	b = msgpack.AppendInt(b, m.Latency.Round(time.Millisecond).Milliseconds())
	if m.Timestamp.IsZero() {
		b = msgpack.AppendNil(b)
	} else {
		b = msgpack.AppendInt(b, m.Timestamp.UnixMilli())
	}
	return appendBytes(b, m.Payload)
}

func appendBytes[T ~[]byte](b []byte, data T) []byte {
	if data == nil {
		return msgpack.AppendNil(b)
	}
	return msgpack.AppendBin(b, data)
}

// decodeMessage makes a message of a stored one, of whose memory it keeps
// nothing but the id. ErrCorrupt, ErrFormat.
func decodeMessage(dm *driver.Message) (Message, error) {
	f, err := openBody(string(dm.Body))
	if err != nil {
		return Message{}, err
	}
	m := Message{ID: dm.ID, Seq: dm.Seq, digest: dm.Digest}
	m.readGiven(&f)
	m.AppendedAt = timeFromMillis(f.Int())
	m.Summary = Range{From: f.Uint(), To: f.Uint()}
	if m.extra, err = closeBody(&f); err != nil {
		return Message{}, err
	}
	return m, nil
}

func (m *Message) readGiven(f *msgpack.Fields) {
	m.Role, m.ContentType, m.Content = Role(f.Byte()), ContentType(f.Byte()), f.Text()
	m.ToolName, m.ToolCallID, m.ToolCalls = f.Text(), f.Text(), f.Uint()
	m.ToolInputs, m.ToolOutputs, m.ToolStatus = readBytes(f), readBytes(f), f.Text()
	m.Author, m.Metadata, m.Tokens = f.Text(), readDocument(f), f.Uint()
	ms := f.Int()
	f.Require(ms <= math.MaxInt64/int64(time.Millisecond) && ms >= math.MinInt64/int64(time.Millisecond))
	m.Latency = time.Duration(ms) * time.Millisecond
	if at, ok := f.OptInt(); ok {
		m.Timestamp = time.UnixMilli(at).UTC()
	}
	m.Payload = readBytes(f)
}

// readBytes reads bytes that the caller may change.
func readBytes(f *msgpack.Fields) []byte {
	data, ok := f.Bin()
	if !ok {
		return nil
	}
	return []byte(data)
}
