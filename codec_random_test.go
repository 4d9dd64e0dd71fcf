package seshat

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
	"github.com/seshatdb/seshat/internal/rules"
)

// random makes values of every shape that can be stored, including absent ones.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 1))} }

func (r random) half() bool { return r.IntN(2) == 0 }

func (r random) text() string {
	lengths := []int{0, 1, 5, 31, 32, 300, 70_000}
	return strings.Repeat([]string{"x", "ü", "日"}[r.IntN(3)], lengths[r.IntN(r.IntN(len(lengths))+1)])
}

func (r random) uint() uint64 { return r.Uint64() >> r.IntN(65) }

func (r random) int() int64 { return r.Int64() >> r.IntN(64) }

func (r random) small() int64 { return r.int() >> 20 }

func (r random) instant() time.Time { return timeFromMillis(r.small()) }

func (r random) bytes() []byte {
	if r.half() {
		return nil
	}
	return []byte(r.text())
}

func (r random) document() Document {
	if r.half() {
		return Document{}
	}
	return NewDocument(map[string]any{
		"text": strings.Repeat("x", r.IntN(300)), "n": r.int(),
		"list": []any{nil, true, r.Float64(), r.instant()},
	})
}

func (r random) life() int64 {
	if r.half() {
		return rules.Never
	}
	return 1 + r.small()
}

func (r random) lifecycle() Lifecycle {
	span := func() time.Duration { return []time.Duration{0, Never, time.Duration(r.int())}[r.IntN(3)] }
	return Lifecycle{
		TTL: span(), Expiry: Expiry(r.IntN(3)), MaxLifetime: span(), IdleAfter: span(),
		ArchiveAfter: span(), Retention: span(),
	}
}

func (r random) agent() (a AgentConfig) {
	a.Model, a.SystemPrompt = r.text(), r.text()
	if r.half() {
		a.Temperature = Ptr(2 * r.Float64())
	}
	if r.half() {
		a.MaxTokens = Ptr(r.IntN(MaxTokens))
	}
	for range r.IntN(40) {
		a.AvailableTools = append(a.AvailableTools, r.text())
	}
	return a
}

func (r random) session() *storedSession {
	s := &storedSession{Session: Session{
		ID: r.text(), NamespaceID: "ns_1", OrganizationID: "int_1", UserID: r.text(), Name: r.text(), Agent: r.agent(),
		UserMemory: r.document(), Metadata: r.document(), MessageCount: r.uint(), Version: r.uint(),
		LastSeq:        r.uint() / 2,
		Stats:          SessionStats{TotalMessages: r.uint(), TotalTokens: r.uint(), TotalToolCalls: r.uint()},
		LastTransition: Transition{At: r.instant(), Reason: r.text(), Actor: r.text()},
		Parent:         Parent{SessionID: r.text(), Seq: r.uint()}, MemoryDisabled: r.half(),
		incarnation: driver.Incarnation{byte(r.uint())}, lease: lease{r.text(), r.uint(), r.int()},
	}}
	s.Quotas = Quotas{r.uint(), r.uint(), r.uint(), r.uint(), uint64(r.small())}
	for range r.IntN(3) {
		if s.Labels == nil {
			s.Labels = map[string]string{}
		}
		s.Labels["k"+r.text()] = r.text()
	}
	r.fillInner(s)
	s.publish()
	return s
}

func (r random) fillInner(s *storedSession) {
	s.storedFields = storedFields{
		updated: r.small(), chosenLifecycle: r.lifecycle(),
		latency: latency{r.uint(), r.uint()}, rate: rules.Rate{Minute: r.int(), Count: r.uint(), Earlier: r.uint()},
		logEdits: r.uint(), bytes: r.uint(), filedDue: r.small(),
	}
	s.timeline = rules.Timeline{
		Lifecycle: rules.Lifecycle{
			TTL: r.life(), Sliding: r.half(), MaxLifetime: r.life(), IdleAfter: r.life(), ArchiveAfter: r.life(),
			Retention: r.life(),
		},
		Status: rules.Status(1 + r.IntN(4)), StatusAt: r.small(), Created: r.small(), Written: r.small(),
		Active: r.small(), Terminated: r.small(), MaxAge: maxAge(s.Quotas), Expires: r.small(),
	}
	if r.half() {
		s.timeline.Expires = rules.Never
	}
	if r.half() {
		s.extra = string(msgpack.AppendText(msgpack.AppendMap(nil, 0), r.text()))
	}
}

func (r random) message() *Message {
	return &Message{
		ID: r.text(), Seq: r.uint(), Role: Role(r.IntN(6)), Content: r.text(), ContentType: ContentType(r.IntN(5)),
		ToolName: r.text(), ToolCallID: r.text(), ToolCalls: r.uint(), ToolStatus: r.text(), Author: r.text(),
		ToolInputs: json.RawMessage(r.bytes()), ToolOutputs: json.RawMessage(r.bytes()), Payload: r.bytes(),
		Metadata: r.document(), Tokens: r.uint(), Latency: time.Duration(r.IntN(math.MaxInt32)) * time.Millisecond,
		Timestamp: r.instant(), AppendedAt: r.instant(), Summary: Range{r.uint(), r.uint()},
	}
}

func (r random) namespace() *Namespace {
	return &Namespace{
		ID: r.text(), Name: r.text(), OrganizationID: r.text(), Lifecycle: r.lifecycle(), CreatedAt: r.instant(),
		UpdatedAt: r.instant(), Quotas: NamespaceQuotas{r.uint(), r.uint(), r.uint()}, ordinal: r.uint(),
	}
}

// seeds returns a few small encodings as seeds for a fuzzer.
func seeds(encode func(random) []byte) (out [][]byte) {
	for seed := uint64(0); len(out) < 8; seed++ {
		if enc := encode(newRandom(seed)); len(enc) < 4096 {
			out = append(out, enc)
		}
	}
	return out
}

// record returns the driver's record of s with this body.
func record(s *storedSession, body []byte) *driver.Record {
	return &driver.Record{
		Key: driver.Key{Namespace: 1, ID: s.ID}, Incarnation: s.incarnation, Version: s.Version, NextSeq: s.LastSeq + 1,
		UserID: s.UserID, Status: uint8(s.timeline.Status), Labels: driverLabels(s.Labels), Created: s.timeline.Created,
		Due: s.filedDue, Expires: s.timeline.Expires, Messages: s.MessageCount, Bytes: s.bytes, Body: body,
	}
}

// elements splits an array into the bytes of its elements.
func elements(t testing.TB, body []byte) (out []string) {
	t.Helper()
	r := msgpack.NewReader(string(body))
	for range r.Array() {
		out = append(out, r.Skip())
	}
	if r.Err() != nil || r.Len() > 0 {
		t.Fatalf("%x is no array", body)
	}
	return out
}

// array joins elements into an array. It reverses elements.
func array(elements []string) []byte {
	return append(msgpack.AppendArray(nil, len(elements)), strings.Join(elements, "")...)
}
