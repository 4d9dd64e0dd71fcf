package main

import (
	"context"

	"github.com/spf13/cobra"
)

// compacted are the file's sizes, in bytes.
type compacted struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

func (a *app) compactCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "Make a store's file smaller",
		Long: `Make a store's file smaller: copy what is in use, and put the copy in the file's
place. Other calls wait meanwhile. Of what was erased before, nothing is left in
the file.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := inFile("compact", a.target.store); err != nil {
				return err
			}
			return a.operate(c, "compact", false, func(ctx context.Context, o operator) error {
				done := a.spin("compacting")
				r, err := o.Compact(ctx, nothing{})
				done()
				if err != nil {
					return err
				}
				return a.p.show(r, func() { a.p.line("%s, was %s", size(r.After), size(r.Before)) })
			})
		},
	}
}

// Compact makes the file smaller.
func (f *file) Compact(ctx context.Context, _ nothing) (r compacted, err error) {
	r.Before, r.After, err = f.store.Compact(ctx)
	return r, err
}
