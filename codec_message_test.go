package seshat

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
)

// TestMessageRoundTrip proves that a message comes back as it was stored, with
// empty and absent values apart, and shares no memory with the stored one.
func TestMessageRoundTrip(t *testing.T) {
	for seed := range uint64(200) {
		want := newRandom(seed).message()
		dm := &driver.Message{ID: want.ID, Seq: want.Seq, Body: encodeMessage(nil, want)}
		got, err := decodeMessage(dm)
		clear(dm.Body)
		if err != nil || !reflect.DeepEqual(&got, want) {
			t.Fatalf("seed %d: %v\n%+v\ncomes back as\n%+v", seed, err, want, got)
		}
	}
}

// messageElements is the documented layout, for the reference to write.
func messageElements(m *Message) []any {
	var at any
	if !m.Timestamp.IsZero() {
		at = m.Timestamp.UnixMilli()
	}
	return []any{
		1, int(m.Role), int(m.ContentType), m.Content, m.ToolName, m.ToolCallID, m.ToolCalls,
		[]byte(m.ToolInputs), []byte(m.ToolOutputs), m.ToolStatus, m.Author, documentBytes(m.Metadata), m.Tokens,
		m.Latency.Milliseconds(), at, m.Payload, millisFromTime(m.AppendedAt), m.Summary.From, m.Summary.To,
	}
}

func TestMessageLayoutIsTheDocumentedOne(t *testing.T) {
	for seed := range uint64(50) {
		m := newRandom(seed).message()
		body := encodeMessage(nil, m)
		if want := referenceArray(t, messageElements(m), true); !bytes.Equal(body, want) {
			t.Fatalf("seed %d: the reference writes\n%x, not\n%x", seed, want, body)
		}
		wide, err := decodeMessage(&driver.Message{Body: referenceArray(t, messageElements(m), false)})
		if again := encodeMessage(nil, &wide); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("seed %d: %v; wide integers read as\n%x, not\n%x", seed, err, again, body)
		}
	}
}

func TestMessagesOfOtherVersions(t *testing.T) {
	all := elements(t, encodeMessage(nil, newRandom(7).message()))
	blank := elements(t, encodeMessage(nil, &Message{}))
	for n := 1; n <= len(all); n++ {
		m, err := decodeMessage(&driver.Message{Body: array(all[:n])})
		if again := elements(t, encodeMessage(nil, &m)); err != nil ||
			!slices.Equal(again, slices.Concat(all[:n], blank[n:])) {
			t.Fatalf("the first %d fields read as %q, %v", n, again, err)
		}
	}
	later := append(all, "\x92\x01\x80", "\xc0")
	m, err := decodeMessage(&driver.Message{Body: array(later)})
	if again := elements(t, encodeMessage(nil, &m)); err != nil || !slices.Equal(again, later) {
		t.Errorf("later fields become %q, %v", again, err)
	}
	if _, err := decodeMessage(&driver.Message{Body: []byte{0x92, bodyVersion + 1, 0xc1}}); !errors.Is(err, ErrFormat) {
		t.Errorf("later layout: %v", err)
	}
}

func TestDamagedMessages(t *testing.T) {
	body := encodeMessage(nil, newRandom(8).message())
	for n := 0; n < len(body); n += 1 + n/64 {
		m, err := decodeMessage(&driver.Message{Seq: 1, Body: body[:n]})
		if !errors.Is(err, ErrCorrupt) || !reflect.DeepEqual(m, Message{}) {
			t.Fatalf("%d of %d bytes: %+v, %v", n, len(body), m, err)
		}
	}
	parts := elements(t, body)
	parts[13] = string(msgpack.AppendInt(nil, 1<<62))
	if _, err := decodeMessage(&driver.Message{Body: array(parts)}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a latency that no duration holds: %v", err)
	}
}

func FuzzDecodeMessage(f *testing.F) {
	for _, enc := range seeds(func(r random) []byte { return encodeMessage(nil, r.message()) }) {
		f.Add(enc)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := decodeMessage(&driver.Message{Body: body})
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		first := encodeMessage(nil, &m)
		again, err := decodeMessage(&driver.Message{Body: first})
		if second := encodeMessage(nil, &again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("written as %x, then as %x: %v", first, second, err)
		}
	})
}

// TestMessageDigest proves that each field that the caller gives changes the
// digest, also an empty value against none, and that nothing else does.
func TestMessageDigest(t *testing.T) {
	given := map[string]Message{
		"nothing": {}, "role": {Role: 1}, "type": {ContentType: 1}, "content": {Content: "a"}, "tool": {ToolName: "a"},
		"call": {ToolCallID: "a"}, "calls": {ToolCalls: 1}, "inputs": {ToolInputs: []byte("a")},
		"outputs": {ToolOutputs: []byte("a")}, "status": {ToolStatus: "a"}, "author": {Author: "a"},
		"metadata": {Metadata: NewDocument(map[string]any{"a": 1})}, "tokens": {Tokens: 1},
		"latency": {Latency: time.Millisecond},
		"time":    {Timestamp: time.UnixMilli(1)}, "epoch": {Timestamp: time.Unix(0, 0)},
		"payload":    {Payload: []byte("a")},
		"no payload": {Payload: []byte{}}, "no inputs": {ToolInputs: json.RawMessage{}},
		"cut here": {ToolName: "ab", ToolCallID: "c"}, "cut there": {ToolName: "a", ToolCallID: "bc"},
	}
	seen := map[[16]byte]string{}
	for name, m := range given {
		d := messageDigest(&m)
		if other, twice := seen[d]; twice {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[d] = name
		m.ID = "x"
		m.Seq = 9
		m.AppendedAt = time.Unix(9, 0)
		m.Summary = Range{1, 2}
		m.extra = "\xc0"
		m.Timestamp = m.Timestamp.In(time.FixedZone("", 3600))
		if messageDigest(&m) != d {
			t.Errorf("%s: what the store gives changes the digest", name)
		}
	}
}

// TestMessageFormatIsPinned proves that stored bytes and digests keep their
// meaning, so that a later version knows messages that an earlier one appended.
func TestMessageFormatIsPinned(t *testing.T) {
	m := &Message{
		Role: RoleTool, ContentType: ContentToolResult, Content: "Привет", ToolName: "find", ToolCallID: "call_1",
		ToolCalls:  2,
		ToolInputs: json.RawMessage(`{"q": 1}`), ToolOutputs: json.RawMessage(`[]`), ToolStatus: "ok", Author: "agent",
		Metadata: NewDocument(map[string]any{"k": []any{1, 2.5, "x"}}), Tokens: 300, Latency: 1500 * time.Millisecond,
		Timestamp: time.UnixMilli(1_700_000_000_123), AppendedAt: time.UnixMilli(1_700_000_000_456),
		Payload: []byte{0, 1, 2}, Summary: Range{3, 4},
	}
	const (
		body = "dc0013010303acd09fd180d0b8d0b2d0b5d182a466696e64a663616c6c5f3102c4087b2271" +
			"223a20317dc4025b5da26f6ba56167656e74" +
			"c41081a16b9301cb4004000000000000a178cd012ccd05dccf0000018bcfe5687bc403000102cf0000018bcfe569c80304"
		digest = "7e70a250bff02cec8574cf2e08cb03d9"
	)
	if got := hex.EncodeToString(encodeMessage(nil, m)); got != body {
		t.Errorf("stored as\n%s, not\n%s", got, body)
	}
	d := messageDigest(m)
	if got := hex.EncodeToString(d[:]); got != digest {
		t.Errorf("digest %s, not %s", got, digest)
	}
}

func TestMessageCodecAllocations(t *testing.T) {
	m := &Message{
		Role: RoleUser, Content: "Book me a flight to Seattle.",
		Metadata: NewDocument(map[string]any{"a": 1}),
	}
	buf := encodeMessage(nil, m)
	if n := testing.AllocsPerRun(100, func() { buf = encodeMessage(buf[:0], m) }); n > 0 {
		t.Errorf("encoding allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { messageDigest(m) }); n > 0 {
		t.Errorf("a digest allocates %v times", n)
	}
	dm := &driver.Message{Body: buf}
	if n := testing.AllocsPerRun(100, func() { *m, _ = decodeMessage(dm) }); n > 1 {
		t.Errorf("decoding allocates %v times", n)
	}
}
