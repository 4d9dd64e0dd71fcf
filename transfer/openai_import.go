package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/seshatdb/seshat"
)

// ImportOpenAI reads conversations in OpenAI's chat format, one JSON object a
// line, into sessions of t:
//
//	{"session":"s1","user_id":"mia",
//	 "messages":[{"role":"user","content":"Hi"}, …]}
//
// Each line becomes one session with the id "session" (a new id if that is
// missing) and the user "user_id" (no user if that is null). Other members are
// kept in the session's metadata. Role, text, tool calls and results of a
// message are converted to fields, and all its bytes are kept as Payload, so
// that [ExportOpenAI] writes the same lines. Messages are appended at the
// current time with the ids "1", "2" and so on. So an interrupted run can be
// repeated with Skip and appends only the missing messages.
//
// Up to o.Workers sessions are written at once. Sessions are created in the
// order of the lines only with one worker. Errors are those of [Import]. With
// Fail, a session that exists is an error too.
func ImportOpenAI(ctx context.Context, t *seshat.Tenant, r io.Reader, o Options) (Report, error) {
	in := newLines(r, o.MaxLine)
	p := newPool(ctx, o.workers())
	var sum tally
	err := readOpenAI(in, p, func(ctx context.Context, c *conversation) error {
		return c.store(ctx, t, o.Existing, &sum)
	})
	err = p.wait(err)
	return sum.report(), err
}

// readOpenAI calls store for each conversation.
func readOpenAI(in *lines, p *pool, store func(context.Context, *conversation) error) error {
	for {
		raw, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if in.blank() {
			continue
		}
		c, err := readConversation(raw)
		if err != nil {
			return in.fail(err)
		}
		n := in.n
		err = p.run(func(ctx context.Context) error {
			if err := store(ctx, &c); err != nil {
				return &LineError{Line: n, Err: err}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// store creates the session if it does not exist, and appends the missing
// messages.
func (c *conversation) store(ctx context.Context, t *seshat.Tenant, existing Existing, sum *tally) error {
	turns, err := c.turns()
	if err != nil {
		return err
	}
	n := seshat.NewSession{ID: c.session, UserID: c.user}
	if c.others != nil {
		n.Metadata = map[string]any{metadataOthers: string(c.others)}
	}
	s, created, err := t.Ensure(ctx, n)
	if err != nil {
		return err
	}
	if !created && existing == Fail {
		return &seshat.Error{Op: "ImportOpenAI", ID: s.ID, Err: seshat.ErrExists}
	}
	added := uint64(0)
	for _, turn := range turns {
		a, err := t.AppendTurn(ctx, s.ID, turn)
		if err != nil {
			return err
		}
		if !a.Repeated {
			added += uint64(len(turn.Messages))
		}
	}
	sum.add(func(r *Report) {
		r.Messages += added
		switch {
		case created:
			r.Sessions++
		case added == 0:
			r.Skipped++
		}
	})
	return nil
}

// turns parses the messages and groups them into turns, always in the same way,
// so that the store recognizes a repeated turn.
func (c *conversation) turns() ([]seshat.Turn, error) {
	var turns []seshat.Turn
	var turn seshat.Turn
	size := 0
	for i, raw := range c.messages {
		m, err := readChat(raw)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i+1, err)
		}
		m.ID = fmt.Sprint(i + 1)
		n := len(m.Content) + len(m.Payload) + len(m.ToolInputs)
		if len(turn.Messages) == seshat.MaxTurnMessages || len(turn.Messages) > 0 && size+n > seshat.MaxTurnBytes {
			turns = append(turns, turn)
			turn = seshat.Turn{}
			size = 0
		}
		turn.Messages = append(turn.Messages, m)
		size += n
	}
	if len(turn.Messages) > 0 {
		turns = append(turns, turn)
	}
	return turns, nil
}
