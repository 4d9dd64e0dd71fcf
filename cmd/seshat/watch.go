package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

func (a *app) watchCmd() *cobra.Command {
	var since uint64
	var limit int
	var noWait bool
	c := &cobra.Command{
		Use:   "watch",
		Short: "Print the changes of a namespace's sessions as they happen",
		Long: `Print the changes of a namespace's sessions as they happen, one a line, until
interrupted. --since N prints the events after position N; 0 begins at the oldest
retained event.

For a file, only past events are printed, because no other process can write to
it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.converse(c, func(ctx context.Context, b sessions) error {
				err := a.watch(ctx, b, since, limit, !noWait)
				if errors.Is(err, context.Canceled) && ctx.Err() != nil {
					return nil // an interrupt is the usual end of a watch
				}
				return err
			})
		},
	}
	c.Flags().Uint64Var(&since, "since", 0, "`position` after which to begin")
	c.Flags().IntVar(&limit, "limit", 0, "stop after N events (0 = no limit)")
	c.Flags().BoolVar(&noWait, "no-wait", false, "stop at the newest event")
	a.readOnlyFlag(c)
	return c
}

func (a *app) watch(ctx context.Context, b sessions, since uint64, limit int, wait bool) error {
	n := 0
	for e, err := range b.Watch(ctx, since, wait) {
		if err != nil {
			return err
		}
		if err := a.p.show(e, func() { a.p.tabbed(eventCells(e)) }); err != nil {
			return err
		}
		if n++; n == limit {
			break
		}
	}
	return nil
}

func eventCells(e seshat.Event) []string {
	subject := e.SessionID
	if subject == "" {
		subject = e.UserID
	}
	cells := []string{count(e.Position), e.Time.Format(time.RFC3339), e.Kind.String(), subject}
	if e.Status != 0 {
		cells = append(cells, e.Status.String())
	}
	return cells
}
