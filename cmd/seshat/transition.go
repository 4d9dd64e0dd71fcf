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

// moved is the result of a transition.
type moved struct {
	SessionID    string        `json:"session_id"`
	Status       seshat.Status `json:"status"`
	UpdatedAt    time.Time     `json:"updated_at"`
	ExpiresAt    *time.Time    `json:"expires_at"`
	TerminatedAt *time.Time    `json:"terminated_at"`
}

// tidy sets zero times to nil, which is null in JSON.
func (m moved) tidy() moved {
	nullZero(&m.ExpiresAt, &m.TerminatedAt)
	return m
}

func (a *app) archiveCmd() *cobra.Command {
	return a.transitionCmd("archive", "Archive a session; it stays readable", seshat.StatusArchived)
}

func (a *app) restoreCmd() *cobra.Command {
	return a.transitionCmd("restore", "Make an archived or idle session active again", seshat.StatusActive)
}

func (a *app) terminateCmd() *cobra.Command {
	return a.transitionCmd("terminate", "Terminate a session; it stays readable for its retention",
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
	c.Flags().StringVar(&m.Actor, "actor", "", "who makes the transition")
	c.Flags().Uint64Var(&m.Version, "if-version", 0, "required `version` of the session")
	return c
}
