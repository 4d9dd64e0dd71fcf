package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/seshatdb/seshat"
)

// ImportOpenAI reads conversations in the chat format of OpenAI, one JSON
// object a line, into sessions of t:
//
//	{"session":"s1","user_id":"mia",
//	 "messages":[{"role":"user","content":"Hi"}, …]}
//
// Each line becomes one session, of the id "session" (a new one where there is
// none) and the user "user_id" (none where it is null). Other members are kept
// in the session's metadata. Of each message role, text, tool calls and results
// get fields of their own, and all its bytes are kept as Payload; so
// [ExportOpenAI] gives the same lines back. Messages are appended now, under
// the ids "1", "2" and so on: a run that was interrupted can be repeated, with
// Skip, and appends what is not there.
//
// Sessions are written at once, up to o.Workers, so the order in which they
// are created is that of the lines only with one worker. Errors are as of
// [Import]; with Fail, also of a session that is there.
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

// readOpenAI hands each conversation to store.
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

// store makes the session, unless it is there, and appends what it lacks.
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

// turns reads the messages and groups them into appends, always the same way,
// so that a repeated one is known.
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
