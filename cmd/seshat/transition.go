package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

// move is a transition that is asked for.
type move struct {
	To            seshat.Status
	Reason, Actor string
	Version       uint64 // 0 = any
}

// moved is where a session stands after a transition.
type moved struct {
	SessionID    string        `json:"session_id"`
	Status       seshat.Status `json:"status"`
	UpdatedAt    time.Time     `json:"updated_at"`
	ExpiresAt    *time.Time    `json:"expires_at"`
	TerminatedAt *time.Time    `json:"terminated_at"`
}

// tidy makes zero times null.
func (m moved) tidy() moved {
	nullZero(&m.ExpiresAt, &m.TerminatedAt)
	return m
}

func (a *app) archiveCmd() *cobra.Command {
	return a.transitionCmd("archive", "Archive a session: it can be read, and restored", seshat.StatusArchived)
}

func (a *app) restoreCmd() *cobra.Command {
	return a.transitionCmd("restore", "Make an archived or idle session active", seshat.StatusActive)
}

func (a *app) terminateCmd() *cobra.Command {
	return a.transitionCmd("terminate", "End a session: it can be read until its retention is over",
		seshat.StatusTerminated)
}

func (a *app) transitionCmd(verb, short string, to seshat.Status) *cobra.Command {
	m := move{To: to}
	c := &cobra.Command{
		Use:   verb + " ID...",
		Short: short,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, ids []string) error {
			return a.converse(c, func(ctx context.Context, b sessions) error {
				for _, id := range ids {
					s, err := b.Transition(ctx, id, m)
					if err != nil {
						return err
					}
					if err := a.p.show(s, func() { a.p.line("%s: %s", s.SessionID, s.Status) }); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&m.Reason, "reason", "", "why")
	c.Flags().StringVar(&m.Actor, "actor", "", "who asks for it")
	c.Flags().Uint64Var(&m.Version, "if-version", 0, "only if the session has this version")
	return c
}
