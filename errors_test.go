package seshat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// sentinels are all errors that callers can distinguish.
var sentinels = []error{
	ErrNotFound, ErrExists, ErrConflict, ErrInvalid, ErrReadOnly, ErrQuota, ErrTransition, ErrLease, ErrLagged,
	ErrLocked, ErrClosed, ErrUnknown, ErrFailed, ErrCorrupt, ErrFormat,
}

// Promise: each typed error matches its sentinel and no other, also when it is
// wrapped.
func TestTypedErrorsMatchTheirSentinels(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want error
	}{
		{&InvalidError{Field: "f", Reason: "is empty"}, ErrInvalid},
		{&ConflictError{Have: 1, Stored: 2}, ErrConflict},
		{&MessageIDError{MessageID: "m", Seq: 3}, ErrConflict},
		{&MessageIDError{MessageID: "m"}, ErrConflict},
		{&TransitionError{From: StatusActive, To: StatusActive}, ErrTransition},
		{&QuotaError{Quota: "max_messages", Limit: 1, Use: 1, RetryAfter: time.Second}, ErrQuota},
		{&LeaseError{Owner: "o"}, ErrLease},
		{&LaggedError{Since: 1, Oldest: 2}, ErrLagged},
		{readOnlyError{StatusArchived}, ErrReadOnly},
	} {
		for _, err := range []error{tt.err, &Error{Op: "Op", Err: tt.err}, fmt.Errorf("wrapped: %w", tt.err)} {
			for _, sentinel := range sentinels {
				if got, want := errors.Is(err, sentinel), sentinel == tt.want; got != want {
					t.Errorf("%T is %v: got %v", tt.err, sentinel, got)
				}
			}
		}
		if tt.err.Error() == "" {
			t.Errorf("%T says nothing", tt.err)
		}
	}
}

func TestSentinelsDiffer(t *testing.T) {
	for i, a := range sentinels {
		for k, b := range sentinels {
			if errors.Is(a, b) != (i == k) {
				t.Errorf("%v is %v: %v", a, b, errors.Is(a, b))
			}
		}
	}
}

// Promise: the text of an Error names the call and its object in one line,
// whatever characters the names have.
func TestErrorNamesItsPlace(t *testing.T) {
	for _, tt := range []struct {
		err  *Error
		want string
	}{
		{&Error{Op: "Open", Err: io.EOF}, `seshat: Open: EOF`},
		{&Error{Op: "List", Tenant: "t", Err: io.EOF}, `seshat: List "t": EOF`},
		{&Error{Op: "Get", Tenant: "a/b", ID: `"\"`, Err: io.EOF}, `seshat: Get "a/b"/"\"\\\"": EOF`},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
		if !errors.Is(tt.err, io.EOF) {
			t.Errorf("%v hides its cause", tt.err)
		}
	}
}

// Promise: errors contain no content of messages or agents.
func TestErrorsHoldNoContent(t *testing.T) {
	p := plant(t)
	const secret = "s3cr3t"
	long := strings.Repeat(secret, 20_000)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"name": func() error { _, err := p.n.Create(ctx, NewSession{Name: secret + "\n"}); return err },
		"prompt": func() error {
			_, err := p.n.Create(ctx, NewSession{Agent: AgentConfig{SystemPrompt: secret + "\xff"}})
			return err
		},
		"memory": func() error {
			_, err := p.n.Create(ctx, NewSession{UserMemory: map[string]any{"k": long}})
			return err
		},
		"label": func() error {
			_, err := p.n.Create(ctx, NewSession{Labels: map[string]string{"k": long}})
			return err
		},
		"reason": func() error {
			_, err := p.n.Transition(ctx, "s", StatusIdle, TransitionOptions{Reason: long})
			return err
		},
		"message": func() error {
			_, err := p.n.Append(ctx, "s", Message{Role: RoleUser, Content: secret + "\xff"})
			return err
		},
		"update": func() error {
			_, err := p.n.Update(ctx, "s", func(s *Session) error { s.Name = secret + "\x00"; return nil },
				UpdateOptions{})
			return err
		},
	} {
		err := call()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows content: %.200v", name, err)
		}
	}
}

// Promise: checking valid arguments allocates nothing. Only an error builds its
// place and reason.
func TestChecksOfGoodArgumentsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes code allocate more")
	}
	full := Message{
		Role: RoleTool, Content: "hello", ContentType: ContentToolResult, ToolName: "search", ToolCallID: "call-1",
		ToolCalls:  2,
		ToolInputs: json.RawMessage(`{"q":1}`), ToolOutputs: json.RawMessage(`[1]`), ToolStatus: "ok", Author: "mia",
		Tokens:  7,
		Latency: time.Second, Timestamp: time.Unix(1, 0), Payload: []byte("x"),
		Metadata: NewDocument(map[string]any{"k": 1}),
	}
	turn := make([]Message, MaxTurnMessages)
	for i := range turn {
		turn[i] = full
	}
	named := []Message{full}
	named[0].ID = "m"
	session := NewSession{
		ID: "s", UserID: "mia", Name: "title", Labels: map[string]string{"a": "b", "c": ""},
		Agent: AgentConfig{
			Model: "m", Temperature: Ptr(1.0), MaxTokens: Ptr(1), SystemPrompt: "p",
			AvailableTools: []string{"t"},
		},
	}
	query := Query{UserID: "mia", Statuses: []Status{StatusIdle}, Labels: session.Labels, Limit: 1}
	namespace := Namespace{Name: "acme", OrganizationID: "o"}
	key := APIKey{OrganizationID: "o", Name: "k"}
	for name, check := range map[string]func() *fieldError{
		"turn":             func() *fieldError { return checkTurn(turn) },
		"message with id":  func() *fieldError { return checkTurn(named) },
		"session":          session.check,
		"query":            query.check,
		"namespace":        namespace.check,
		"key":              key.check,
		"restored session": func() *fieldError { return checkRestored(restorable) },
		"transition":       (&Transition{Reason: "r", Actor: "a"}).check,
		"state of a user":  UserScope("mia").check,
	} {
		var failed *fieldError
		allocs := testing.AllocsPerRun(100, func() {
			if e := check(); e != nil {
				failed = e
			}
		})
		if allocs != 0 || failed != nil {
			t.Errorf("%s: %v allocations, error %v", name, allocs, failed.err())
		}
	}
}

var restorable = &Session{
	ID: "s", Status: StatusActive, Version: 1, CreatedAt: time.Unix(1, 0), UpdatedAt: time.Unix(1, 0),
	LastActivityAt: time.Unix(1, 0),
	UserMemory:     NewDocument(map[string]any{"k": 1}), Labels: map[string]string{"a": "b"},
}

// Promise: the ids of a turn are compared in one map, so the number of
// allocations does not depend on the number of ids.
func TestIDsOfATurnAreComparedInOneMap(t *testing.T) {
	turn := make([]Message, MaxTurnMessages)
	for i := range turn {
		turn[i] = Message{ID: fmt.Sprint("m", i), Role: RoleUser}
	}
	if got := testing.AllocsPerRun(10, func() { _ = checkTurn(turn) }); got > 8 {
		t.Errorf("%v allocations for %d ids", got, len(turn))
	}
	turn[200].ID = "m7"
	if e := checkTurn(turn); e == nil || e.field != "messages[200].message_id" {
		t.Errorf("an id given twice: %v", e.err())
	}
}

// Promise: errors of calls without a tenant are also one short line without
// content.
func TestHostileInputMakesShortErrors(t *testing.T) {
	const secret = "nobody knows"
	long := strings.Repeat(secret+"\x00\xff\n", 1<<20/len(secret))
	digits := strings.Repeat("7", 1<<20)
	dir := t.TempDir()
	type fit struct {
		K int
		T time.Time
	}
	as := func(v any) error {
		_, err := DocumentAs[fit](NewDocument(map[string]any{"K": v, "T": v}))
		return err
	}
	bad := NewDocument(map[string]any{secret: math.NaN()})
	for name, err := range map[string]error{ // by hand: none opens
		"Open":                errorOf(Open(dir+"/"+long, Options{})),
		"Open, empty":         errorOf(Open("", Options{})),
		"Verify":              errorOf(Verify(t.Context(), dir+"/"+long)),
		"Salvage":             errorOf(Salvage(t.Context(), dir+"/"+long, dir+"/"+long)),
		"RestoreBackup":       RestoreBackup(t.Context(), dir+"/"+long, dir+"/"+long),
		"Role":                new(Role).UnmarshalText([]byte(long)),
		"ContentType":         new(ContentType).UnmarshalText([]byte(long)),
		"Status":              new(Status).UnmarshalText([]byte(long)),
		"Expiry":              new(Expiry).UnmarshalText([]byte(long)),
		"EventKind":           new(EventKind).UnmarshalText([]byte(long)),
		"Document, bytes":     new(Document).UnmarshalBinary([]byte(long)),
		"Document, not JSON":  new(Document).UnmarshalJSON([]byte(long)),
		"Document, number":    new(Document).UnmarshalJSON([]byte(`{"k":` + digits + `}`)),
		"Document, key twice": new(Document).UnmarshalJSON([]byte(`{"` + secret + `":1,"` + secret + `":1}`)),
		"Document, marshal":   errorOf(bad.MarshalJSON()),
		"Document, binary":    errorOf(bad.MarshalBinary()),
		"DocumentAs, bad":     errorOf(DocumentAs[fit](bad)),
		"DocumentAs, text":    as(secret),
		"Message, time":       new(Message).UnmarshalJSON([]byte(`{"timestamp":"` + secret + digits + `"}`)),
		"Message, number":     new(Message).UnmarshalJSON([]byte(`{"seq":-` + digits + `}`)),
		"Message, text":       new(Message).UnmarshalJSON([]byte(`{"seq":"` + secret + `"}`)),
		"Message, digest":     new(Message).UnmarshalJSON([]byte(`{"digest":"` + secret + `"}`)),
		"Message, metadata":   new(Message).UnmarshalJSON([]byte(`{"metadata":{"` + secret + `":1e999}}`)),
		"Session, number":     new(Session).UnmarshalJSON([]byte(`{"version":1` + digits + `}`)),
		"Session, time":       new(Session).UnmarshalJSON([]byte(`{"created_at":"` + secret + `"}`)),
		"Lifecycle":           new(Lifecycle).UnmarshalJSON([]byte(`{"ttl":"` + secret + digits + `"}`)),
		"Lifecycle, number":   new(Lifecycle).UnmarshalJSON([]byte(`{"ttl":` + digits + `}`)),
		"Error":               &Error{Op: "Get", Tenant: long, ID: long, Err: errors.New("because")},
		"MessageIDError": &Error{
			Op: "Append", Tenant: "t", ID: "s",
			Err: &MessageIDError{MessageID: strings.Repeat("\u0085", 64)},
		},
		"LeaseError":             &Error{Op: "Append", Tenant: "t", ID: "s", Err: &LeaseError{Owner: digits}},
		"an error of the caller": &Error{Op: "Update", Tenant: "t", ID: "s", Err: errors.New(digits + "\x1b[2J\xff")},
	} {
		text := shortText(t, name, err)
		path := strings.Contains(name, "Open") || name == "Verify" || name == "Salvage" || name == "RestoreBackup" ||
			name == "Error"
		if !path && (strings.Contains(text, secret) ||
			strings.Contains(text, "777777777") && name[0] != 'L' && name[0] != 'a') {
			t.Errorf("%s: the error shows content: %.200q", name, text)
		}
	}
}

// shortText returns the text of err, which must be one short line.
func shortText(t *testing.T, name string, err error) string {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
		return ""
	}
	text := err.Error()
	if len(text) > maxErrorBytes || !utf8.ValidString(text) || controlIndex(text) >= 0 {
		t.Errorf("%s: %d bytes: %.200q", name, len(text), text)
	}
	return text
}

func errorOf[T any](_ T, err error) error { return err }

// Promise: a text that is too long loses its middle, and no rune is split.
func TestShorten(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"0123456789", "0123456789"},
		{"0123456789a", "012…789a"},
		{"яяяяяяяяяяя", "я…яя"},
		{"🙂🙂🙂🙂", "…🙂"},
	} {
		if got := shorten(tt.in, 10); got != tt.want || len(got) > 10 {
			t.Errorf("%s becomes %s, want %s", tt.in, got, tt.want)
		}
	}
}
