package seshat

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// sentinels are all that a caller can tell apart.
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

// Promise: an Error names what failed and on what, in one line, however the
// names look.
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

// Promise: errors hold no content: what a user said or an agent was told.
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
		"label":  func() error { _, err := p.n.Create(ctx, NewSession{Labels: map[string]string{"k": long}}); return err },
		"reason": func() error { _, err := p.n.Transition(ctx, "s", StatusIdle, Because(long, "")); return err },
		"message": func() error {
			_, err := p.n.Append(ctx, "s", Message{Role: RoleUser, Content: secret + "\xff"})
			return err
		},
		"update": func() error {
			_, err := p.n.Update(ctx, "s", func(s *Session) error { s.Name = secret + "\x00"; return nil })
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
