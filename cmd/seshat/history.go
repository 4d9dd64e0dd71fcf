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
	Limit int // maximum number of messages, 0 = no limit
	Skip  int // number of the oldest messages to leave out
	Last  int // only the newest N, 0 = all

	// Only a store has these; the HTTP API does not.
	From, To, Tokens uint64
}

// query returns the query for the store. The caller applies Limit and Skip.
func (r logRange) query() seshat.HistoryQuery {
	return seshat.HistoryQuery{Last: r.Last, FromSeq: r.From, ToSeq: r.To, TokenBudget: r.Tokens}
}

// fileOnly reports whether the HTTP API lacks one of the given ranges.
func (r logRange) fileOnly() bool { return r.From > 0 || r.To > 0 || r.Tokens > 0 }

func (r logRange) check() error {
	switch {
	case r.Limit < 0, r.Skip < 0, r.Last < 0:
		return usagef("--limit, --skip and --last cannot be negative")
	case r.Last > seshat.MaxHistory:
		return usagef("--last: at most %d is allowed", seshat.MaxHistory)
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
				r.Limit = 0 // --last and --token-budget set the limit
			}
			return a.converse(c, func(ctx context.Context, b sessions) error {
				log, err := b.History(ctx, args[0], r)
				if err != nil {
					return err
				}
				err = a.showHistory(args[0], log)
				if err == nil && byDefault && len(log) > 0 && len(log) == r.Limit {
					fmt.Fprintf(a.err, "only the first %d messages are shown; --limit 0 prints all\n", len(log))
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
		"maximum number of messages, oldest first (0 = no limit; the default with --last or --token-budget)")
	f.IntVar(&r.Skip, "skip", 0, "skip the oldest N")
	f.IntVar(&r.Last, "last", 0, "only the newest N")
	f.Uint64Var(&r.From, "from-seq", 0, "first sequence number (not on a server)")
	f.Uint64Var(&r.To, "to-seq", 0, "last sequence number (not on a server)")
	f.Uint64Var(&r.Tokens, "token-budget", 0, "only the newest messages within N tokens (not on a server)")
}

// transcript is the JSON of a part of a log.
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

// said returns the text of a message on one line.
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
