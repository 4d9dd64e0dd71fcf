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
		Long: `Print the changes of a namespace's sessions as they happen, one a line, until it
is interrupted. --since goes on after the position of an earlier event; 0 is the
oldest that is retained.

Of a file, only what has happened is printed: nobody else can write to it
meanwhile.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.converse(c, func(ctx context.Context, b sessions) error {
				err := a.watch(ctx, b, since, limit, !noWait)
				if errors.Is(err, context.Canceled) && ctx.Err() != nil {
					return nil // it was interrupted, as it has to be
				}
				return err
			})
		},
	}
	c.Flags().Uint64Var(&since, "since", 0, "print what came after this position")
	c.Flags().IntVar(&limit, "limit", 0, "end after so many events; 0 = do not end")
	c.Flags().BoolVar(&noWait, "no-wait", false, "end at the newest event")
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
