package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
)

// logRange selects messages of a log, oldest first.
type logRange struct {
	Limit int // 0 = all
	Skip  int // the oldest of those selected
	Last  int // only so many of the newest; 0 = all

	// What only a file can do.
	From, To, Tokens uint64
}

// query selects what the store does; Limit and Skip are left to the caller.
func (r logRange) query() seshat.HistoryQuery {
	return seshat.HistoryQuery{Last: r.Last, FromSeq: r.From, ToSeq: r.To, TokenBudget: r.Tokens}
}

// fileOnly says whether r needs a file.
func (r logRange) fileOnly() bool { return r.From > 0 || r.To > 0 || r.Tokens > 0 }

func (r logRange) check() error {
	switch {
	case r.Limit < 0, r.Skip < 0, r.Last < 0:
		return usagef("--limit, --skip and --last cannot be negative")
	case r.Last > seshat.MaxHistory:
		return usagef("--last is at most %d", seshat.MaxHistory)
	case r.Last > 0 && r.Skip > 0:
		return usagef("--last and --skip exclude each other")
	}
	return nil
}

func (a *app) historyCmd() *cobra.Command {
	var r logRange
	c := &cobra.Command{
		Use:   "history ID",
		Short: "Print a session's messages, oldest first",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := r.check(); err != nil {
				return err
			}
			byDefault := !c.Flags().Changed("limit")
			if byDefault && (r.Last > 0 || r.Tokens > 0) {
				r.Limit = 0 // they bound the log by themselves
			}
			return a.converse(c, func(ctx context.Context, b sessions) error {
				log, err := b.History(ctx, args[0], r)
				if err != nil {
					return err
				}
				err = a.showHistory(args[0], log)
				if err == nil && byDefault && len(log) > 0 && len(log) == r.Limit {
					fmt.Fprintf(a.err, "these are the first %d; --limit 0 prints all\n", len(log))
				}
				return err
			})
		},
	}
	historyFlags(c.Flags(), &r)
	a.readOnlyFlag(c)
	return c
}

func historyFlags(f *pflag.FlagSet, r *logRange) {
	f.IntVar(&r.Limit, "limit", 100,
		"at most so many messages, the oldest of those selected; 0 = all, which --last and --token-budget mean too")
	f.IntVar(&r.Skip, "skip", 0, "leave out so many of the oldest")
	f.IntVar(&r.Last, "last", 0, "the newest messages, so many")
	f.Uint64Var(&r.From, "from-seq", 0, "from this number on (file only)")
	f.Uint64Var(&r.To, "to-seq", 0, "up to this number (file only)")
	f.Uint64Var(&r.Tokens, "token-budget", 0, "the newest messages that have at most so many tokens (file only)")
}

// transcript is a part of a log as JSON.
type transcript struct {
	SessionID string    `json:"session_id"`
	Messages  []message `json:"messages"`
}

func (a *app) showHistory(id string, log []message) error {
	if log == nil {
		log = []message{}
	}
	return a.p.show(transcript{id, log}, func() {
		rows := make([][]string, 0, len(log))
		for _, x := range log {
			m := &x.v
			rows = append(rows, []string{m.Timestamp.Format(time.DateTime), m.Role.String(), said(m)})
		}
		a.p.table([]string{"TIME (UTC)", "ROLE", "CONTENT"}, rows)
	})
}

// said is what a message says, in one line.
func said(m *seshat.Message) string {
	switch {
	case m.Content != "":
		return m.Content
	case m.ContentType == seshat.ContentToolCall:
		return m.ToolName + "(" + string(m.ToolInputs) + ")"
	case m.ContentType == seshat.ContentToolResult:
		return m.ToolName + " → " + string(m.ToolOutputs)
	case m.Content == "" && len(m.Payload) > 0:
		return "(" + m.ContentType.String() + ")"
	}
	return ""
}
