package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

func (a *app) eraseCmd() *cobra.Command {
	var user string
	var yes bool
	c := &cobra.Command{
		Use:   "erase ID | --user USER",
		Short: "Erase a session, or all data of a user, for good",
		Long: `Erase a session, or all data of a user, for good: no call finds it again. Its
bytes may stay in the file until a sweep has reclaimed them and other data has
overwritten their pages. seshat compact removes them at once.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 1) == (user != "") {
				return usagef("nothing to erase: give the id of a session, or --user")
			}
			question := "Erase all sessions and state of user " + strconv.Quote(user) + ", for good?"
			if user == "" {
				question = "Erase session " + strconv.Quote(args[0]) + ", for good?"
			}
			if err := a.confirm(yes, question); err != nil {
				return err
			}
			return a.converse(c, func(ctx context.Context, b sessions) error {
				var e seshat.EraseReport
				var err error
				if user != "" {
					e, err = b.EraseUser(ctx, user)
				} else {
					e, err = b.Erase(ctx, args[0])
				}
				if err != nil {
					return err
				}
				return a.showErased(e)
			})
		},
	}
	c.Flags().StringVar(&user, "user", "", "`user` whose sessions and state in the namespace are erased")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "skip the question")
	return c
}

func (a *app) showErased(e seshat.EraseReport) error {
	return a.p.show(e, func() {
		a.p.line("erased %d sessions, %d messages, %d entries of state: %d bytes", e.Sessions, e.Messages, e.Entries,
			e.Bytes)
	})
}
