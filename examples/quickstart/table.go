package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/seshatdb/seshat"
)

// show lists the sessions of all tenants, most recently active first.
func show(ctx context.Context, w io.Writer, store *seshat.Store) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "tenant\tsession\tuser\tstatus\tmessages\texpires\tname")
	for n, err := range store.Namespaces(ctx, "") {
		if err != nil {
			return err
		}
		t, err := store.Tenant(ctx, seshat.Namespace{ID: n.ID})
		if err != nil {
			return err
		}
		for s, err := range t.Sessions(ctx, seshat.Query{Order: seshat.OrderByActivity}) {
			if err != nil {
				return err
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
				n.Name, s.ID, orDash(s.UserID), s.Status, s.MessageCount, s.ExpiresAt.Format("Jan _2 15:04"), s.Name)
		}
	}
	return tw.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
