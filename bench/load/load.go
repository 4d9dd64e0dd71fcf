// Package load has the workload: sessions and messages with the sizes of real
// conversations with an agent.
package load

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

// Session is a session in the form of an ordinary program. Peers encode it with
// msgpack. Times are Unix milliseconds.
type Session struct {
	// Who it is with, and the agent.
	ID, User, Name string
	Model          string
	Temperature    float64
	SystemPrompt   string
	Tools          []string
	Memory         map[string]any // what the agent knows of the user
	Labels         map[string]string
	Status         uint8
	Version        uint64
	LastSeq        uint64
	Tokens         uint64
	Created        int64
	Updated        int64
	Active         int64 // last activity
	Expires        int64
}

// Message is one entry of a session's log.
type Message struct {
	// What was said, by whom, and when.
	Seq     uint64
	ID      string
	Role    string
	Content string
	Tokens  uint64
	At      int64
}

// TTL is the lifetime of a session in milliseconds.
const TTL = int64(seshat.DefaultTTL / time.Millisecond)

// ID returns the id of session number i. The ids are spread over the key space,
// like those of different users.
func ID(i int) string { return fmt.Sprintf("ses-%08x-%d", uint32(i)*2654435761, i) }

// PerUser is the number of sessions of a user.
const PerUser = 200

// User returns the user of session number i of n.
func User(i, n int) string { return fmt.Sprintf("user-%d", i%max(1, n/PerUser)) }

// Now returns the time in Unix milliseconds.
func Now() int64 { return time.Now().UnixMilli() }

// NewSession returns session number i of n.
func NewSession(i, n int) *Session {
	now := Now()
	return &Session{
		ID: ID(i), User: User(i, n), Name: "Flight to Seattle on May 20", Model: "gpt-4o", Temperature: 0.2,
		SystemPrompt: "You are an airline agent. Confirm each change with the user before you make it.",
		Tools:        []string{"book_reservation", "search_direct_flight", "cancel_reservation", "calculate"},
		Memory: map[string]any{
			"name": "Mia Li", "home": "JFK", "miles": 12_500, "cards": []string{"visa 7447", "gift 6941"},
			"preferences": map[string]any{"seat": "aisle", "bags": 2},
		},
		Labels:  map[string]string{"channel": "web"},
		Version: 1, Created: now, Updated: now, Active: now, Expires: now + TTL,
	}
}

// Touch marks the session as in use.
func (s *Session) Touch() {
	s.Updated = Now()
	s.Active = s.Updated
	s.Expires = s.Updated + TTL
}

// Add counts a message and numbers it.
func (s *Session) Add(m *Message) {
	s.Touch()
	s.LastSeq++
	s.Tokens += m.Tokens
	m.Seq = s.LastSeq
	m.At = s.Updated
}

// NewMessage returns a message with a role and a size drawn from the tables.
func NewMessage(r *rand.Rand) *Message {
	role := roles[r.IntN(len(roles))]
	sizes := contentSizes[role]
	return message(r, role, sizes[r.IntN(len(sizes))])
}

// History returns the log of a whole conversation. It begins with the system
// prompt.
func History(r *rand.Rand) []*Message {
	n := lengths[r.IntN(len(lengths))]
	ms := make([]*Message, n)
	ms[0] = message(r, "system", systemSize)
	for i := 1; i < n; i++ {
		ms[i] = NewMessage(r)
	}
	return ms
}

var text = strings.Repeat("I would like to change my flight to Seattle, and to add two bags. ", 200)

func message(r *rand.Rand, role string, size int) *Message {
	return &Message{
		ID:   fmt.Sprintf("msg-%016x", r.Uint64()),
		Role: role, Content: text[:size], Tokens: uint64(size / 4),
	}
}
