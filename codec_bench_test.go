package seshat

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/rules"
)

// typical returns a session as an agent's runtime would create it.
func typical() *storedSession {
	s := &storedSession{Session: Session{
		ID: "ses_01JD0000000000000000000000", UserID: "user-4711", Name: "Flight to Seattle on May 20",
		Agent: AgentConfig{
			Model: "gpt-4o", Temperature: Ptr(0.2), MaxTokens: Ptr(4096),
			SystemPrompt:   "You are an airline agent. Confirm each change with the user before you make it.",
			AvailableTools: []string{"book_reservation", "search_direct_flight", "cancel_reservation", "calculate"},
		},
		UserMemory: NewDocument(map[string]any{
			"name": "Mia Li", "home": "JFK", "miles": 12_500, "preferences": map[string]any{"seat": "aisle", "bags": 2},
			"cards": []string{"visa 7447", "gift 6941"},
		}),
		Metadata: NewDocument(map[string]any{"channel": "web", "locale": "en-US"}),
		Stats:    SessionStats{TotalMessages: 24, TotalTokens: 8112, TotalToolCalls: 6},
		Version:  3, MessageCount: 24, LastSeq: 24,
	}}
	now := time.Date(2026, 5, 20, 10, 0, 0, 0, time.UTC).UnixMilli()
	s.timeline = rules.Timeline{
		Lifecycle: defaultLifecycle.resolve(), Status: rules.Active, StatusAt: now, Created: now, Active: now + 60_000,
		MaxAge: rules.Never,
	}
	s.timeline.RecordWrite(now + 60_000)
	s.updated, s.filedDue = now+60_000, s.timeline.Expires
	s.latency, s.rate = latency{9100, 12}, rules.Rate{Minute: now / 60_000, Count: 3, Earlier: 1}
	s.publish()
	return s
}

// plain is the same session as a struct for reflection, with decoded documents.
type plain struct {
	Name, Model, SystemPrompt string
	Temperature               *float64
	MaxTokens                 *int
	Tools                     []string
	Memory, Metadata          map[string]any
	Stats                     SessionStats
	Updated, Active, Written  time.Time
	Life                      Lifecycle
}

func plainOf(s *storedSession) *plain {
	return &plain{
		s.Name, s.Agent.Model, s.Agent.SystemPrompt, s.Agent.Temperature, s.Agent.MaxTokens, s.Agent.AvailableTools,
		s.UserMemory.Map(), s.Metadata.Map(), s.Stats, s.UpdatedAt, s.LastActivityAt, s.UpdatedAt, s.Lifecycle,
	}
}

func BenchmarkEncode(b *testing.B) {
	s := typical()
	b.Run("codec", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf = encodeSession(buf[:0], s)
		}
		b.ReportMetric(float64(len(buf)), "bytes")
	})
	b.Run("reflection", func(b *testing.B) {
		b.ReportAllocs()
		p := plainOf(s)
		for b.Loop() {
			if _, err := msgpack.Marshal(p); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	s := typical()
	body := encodeSession(nil, s)
	rec := record(s, body)
	read := func(b *testing.B) *Session {
		rec.Body = bytes.Clone(body) // which the session keeps, as that of a driver
		s, err := decodeSession(rec, "ns_1", "int_1")
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	b.Run("codec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			read(b)
		}
	})
	b.Run("codec and memory", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			read(b).UserMemory.Map()
		}
	})
	b.Run("for a write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mustDecode(b, rec)
		}
	})
	b.Run("reflection", func(b *testing.B) {
		b.ReportAllocs()
		enc, err := msgpack.Marshal(plainOf(s))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := msgpack.Unmarshal(enc, new(plain)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkMessage(b *testing.B) {
	m := &Message{
		Role: RoleUser, Content: "Book me a flight to Seattle.", ContentType: ContentText, Tokens: 7,
		Timestamp: time.Unix(1, 0),
	}
	var buf []byte
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = encodeMessage(buf[:0], m)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		dm := &driver.Message{Seq: 1, ID: "msg_1", Body: encodeMessage(nil, m)}
		for b.Loop() {
			if _, err := decodeMessage(dm); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, size := range []int{28, 400, 4 << 10, 64 << 10} {
		b.Run(fmt.Sprint("digest/", size), func(b *testing.B) {
			m := *m
			m.Content = strings.Repeat("x", size)
			b.ReportAllocs()
			for b.Loop() {
				messageDigest(&m)
			}
		})
	}
}

func BenchmarkDoc(b *testing.B) {
	m := typical().UserMemory.Map()
	b.ReportAllocs()
	for b.Loop() {
		NewDocument(m)
	}
}
