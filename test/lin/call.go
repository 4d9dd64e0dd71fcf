package lin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seshatdb/seshat"
)

// API is the part of a tenant that the checker calls.
type API interface {
	// Its methods have the signatures of package seshat.
	Create(ctx context.Context, n seshat.NewSession) (*seshat.Session, error)
	Get(ctx context.Context, id string) (*seshat.Session, error)
	Update(ctx context.Context, id string, fn func(*seshat.Session) error,
		o seshat.UpdateOptions) (*seshat.Session, error)
	Append(ctx context.Context, id string, messages ...seshat.Message) (*seshat.Session, error)
	Touch(ctx context.Context, id string) (*seshat.Session, error)
	Transition(ctx context.Context, id string, to seshat.Status, o seshat.TransitionOptions) (*seshat.Session, error)
	Delete(ctx context.Context, id string) (seshat.EraseReport, error)
}

type kind uint8

const (
	create kind = iota
	get
	update
	appendTo
	touch
	transition
	remove
)

// These are the codes of outputs. Closed, gaveUp, full and failed calls had no
// effect. Unknown calls may have had one. Only in disasters do calls end as
// full, failed or unknown.
const (
	codeOK         = "ok"
	codeNotFound   = "not found"
	codeExists     = "exists"
	codeConflict   = "conflict"
	codeReadOnly   = "read-only"
	codeTransition = "transition"
	codeClosed     = "closed"
	codeGaveUp     = "gave up"
	codeFull       = "disk full"
	codeFailed     = "failed"
	codeUnknown    = "unknown"
)

func codeOf(err error) string {
	switch {
	case err == nil:
		return codeOK
	case errors.Is(err, seshat.ErrNotFound):
		return codeNotFound
	case errors.Is(err, seshat.ErrExists):
		return codeExists
	case errors.Is(err, seshat.ErrConflict):
		return codeConflict
	case errors.Is(err, seshat.ErrReadOnly):
		return codeReadOnly
	case errors.Is(err, seshat.ErrTransition):
		return codeTransition
	case errors.Is(err, seshat.ErrClosed):
		return codeClosed
	case errors.Is(err, seshat.ErrUnknown):
		return codeUnknown
	case errors.Is(err, seshat.ErrFailed):
		return codeFailed
	case errors.Is(err, syscall.ENOSPC):
		return codeFull
	}
	return fmt.Sprintf("unexpected: %v", err)
}

func sessionID(n int) string { return fmt.Sprintf("s%d", n) }

// random returns a random call of a client that last saw these versions.
func random(r *rand.Rand, sessions int, label string, versions map[string]uint64) input {
	in := input{id: sessionID(r.IntN(sessions)), name: label}
	switch x := r.IntN(100); {
	case x < 14:
		in.kind = create
	case x < 44:
		in.kind = get
	case x < 64:
		in.kind = update
		if r.IntN(3) > 0 {
			in.version = versions[in.id]
		}
	case x < 78:
		in.kind, in.n = appendTo, 1+r.IntN(3)
	case x < 86:
		in.kind = touch
	case x < 96:
		in.kind = transition
		in.to = []string{"active", "idle", "archived", "terminated"}[r.IntN(4)]
		if r.IntN(3) == 0 {
			in.version = versions[in.id]
		}
	default:
		in.kind = remove
	}
	return in
}

// conditional is an API that does not take the version of an update or
// transition as an option.
type conditional interface {
	conditional(ctx context.Context, in input) (*seshat.Session, error)
}

// write makes an update or a transition.
func write(ctx context.Context, t API, in input) (*seshat.Session, error) {
	if c, ok := t.(conditional); ok {
		return c.conditional(ctx, in)
	}
	if in.kind == update {
		return t.Update(ctx, in.id, func(s *seshat.Session) error { s.Name = in.name; return nil },
			seshat.UpdateOptions{IfVersion: in.version})
	}
	var to seshat.Status
	if err := to.UnmarshalText([]byte(in.to)); err != nil {
		return nil, err
	}
	return t.Transition(ctx, in.id, to, seshat.TransitionOptions{IfVersion: in.version})
}

// do makes the call.
func do(ctx context.Context, t API, in input) output {
	var s *seshat.Session
	var err error
	switch in.kind {
	case create:
		s, err = t.Create(ctx, seshat.NewSession{ID: in.id, Name: in.name})
	case get:
		s, err = t.Get(ctx, in.id)
	case update, transition:
		s, err = write(ctx, t, in)
	case appendTo:
		s, err = t.Append(ctx, in.id,
			slices.Repeat([]seshat.Message{{Role: seshat.RoleUser, Content: "hello"}}, in.n)...)
	case touch:
		s, err = t.Touch(ctx, in.id)
	case remove:
		_, err = t.Delete(ctx, in.id)
	}
	out := output{code: codeOf(err)}
	if in.kind == update && in.version == 0 && out.code == codeConflict {
		out.code = codeGaveUp
	}
	if err == nil && s != nil {
		out.seen = see(s)
		out.partial = s.Status == 0 || s.ExpiresAt.IsZero() || in.kind != get && s.Name == ""
	}
	return out
}

func see(s *seshat.Session) seen {
	x := seen{
		version: s.Version, last: s.LastSeq, count: s.MessageCount, name: s.Name,
		updated: millis(s.UpdatedAt), expires: millis(s.ExpiresAt),
	}
	if s.Status != 0 {
		x.status = s.Status.String()
	}
	return x
}

// epoch is the time at which the clock of every history begins.
var epoch = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

func millis(t time.Time) int64 { return t.Sub(epoch).Milliseconds() }

func hasWord(words, word string) bool { return slices.Contains(strings.Fields(words), word) }
