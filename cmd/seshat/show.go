package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

func (a *app) showCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show a session",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.converse(c, func(ctx context.Context, b sessions) error {
				s, err := b.Get(ctx, args[0])
				if err != nil {
					return err
				}
				return a.showSession(s)
			})
		},
	}
	a.readOnlyFlag(c)
	return c
}

func (a *app) showSession(x session) error {
	s := &x.v
	return a.p.show(x, func() {
		a.p.fields(
			field{"session", s.ID}, field{"namespace", s.NamespaceID}, field{"organization", s.OrganizationID},
			field{"user", s.UserID}, field{"name", s.Name}, field{"status", s.Status.String()},
			field{"last move", lastMove(s.LastTransition)},
			field{"model", s.Agent.Model}, field{"temperature", optional(s.Agent.Temperature)},
			field{"max tokens", optional(s.Agent.MaxTokens)}, field{"tools", strings.Join(s.Agent.AvailableTools, " ")},
			field{"labels", labels(s.Labels)},
			field{"messages", count(s.MessageCount)}, field{"tokens", count(s.Stats.TotalTokens)},
			field{"tool calls", count(s.Stats.TotalToolCalls)},
			field{"user memory", document(s.UserMemory)}, field{"metadata", document(s.Metadata)},
			field{"created", when(s.CreatedAt)}, field{"updated", when(s.UpdatedAt)},
			field{"last active", when(s.LastActivityAt)}, field{"expires", when(s.ExpiresAt)},
			field{"version", count(s.Version)}, field{"last seq", count(s.LastSeq)},
		)
	})
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }

func optional[T any](v *T) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(*v)
}

func lastMove(m seshat.Transition) string {
	if m.At.IsZero() {
		return ""
	}
	text := m.At.Format(time.RFC3339)
	if m.Actor != "" {
		text += " by " + m.Actor
	}
	if m.Reason != "" {
		text += ": " + m.Reason
	}
	return text
}

func labels(m map[string]string) string {
	pairs := make([]string, 0, len(m))
	for k, v := range m {
		pairs = append(pairs, k+"="+v)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, " ")
}

func document(d seshat.Document) string {
	if d.IsZero() {
		return ""
	}
	b, err := json.Marshal(d)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
