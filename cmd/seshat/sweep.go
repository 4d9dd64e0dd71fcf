package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

type sweepOptions struct {
	DryRun      bool `json:"dry_run"`
	Limit       int  `json:"limit"`
	AcceptClock bool `json:"accept_clock"`
}

// sweepReport is seshat.SweepReport as JSON.
type sweepReport struct {
	DryRun      bool         `json:"dry_run"`
	Expired     int          `json:"expired"`
	Idled       int          `json:"idled"`
	Archived    int          `json:"archived"`
	Rescheduled int          `json:"refiled"`
	Failed      int          `json:"failed"`
	Error       string       `json:"error,omitempty"` // the first failure
	Trimmed     int          `json:"trimmed"`
	Reclaimed   int          `json:"reclaimed"`
	ClockJump   string       `json:"clock_jump,omitempty"`
	Due         []dueSession `json:"due,omitempty"`
}

type dueSession struct {
	NamespaceID string    `json:"namespace_id"`
	SessionID   string    `json:"session_id"`
	Due         time.Time `json:"due"`
	Action      string    `json:"action"`
}

func (a *app) sweepCmd() *cobra.Command {
	var o sweepOptions
	c := &cobra.Command{
		Use:   "sweep",
		Short: "Remove expired sessions and apply overdue transitions",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.operate(c, "sweep", false, func(ctx context.Context, b operator) error {
				r, err := b.Sweep(ctx, o)
				if err != nil {
					return err
				}
				return errors.Join(a.p.show(r, func() { a.showSweep(r) }), r.failure())
			})
		},
	}
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "list what a sweep would do, and change nothing")
	c.Flags().IntVar(&o.Limit, "limit", 0, "stop after N sessions (default no limit; 1000 for a dry run)")
	c.Flags().BoolVar(&o.AcceptClock, "accept-clock", false, "sweep even if the machine's clock jumped")
	return c
}

func (r *sweepReport) failure() error {
	switch {
	case r.ClockJump != "":
		return errors.New("the machine's clock jumped, so nothing was removed; see --accept-clock")
	case r.Error != "":
		return errors.New("the sweep is incomplete: " + r.Error)
	}
	return nil
}

func (a *app) showSweep(r sweepReport) {
	if r.DryRun {
		rows := make([][]string, 0, len(r.Due))
		for _, d := range r.Due {
			rows = append(rows, []string{d.Action, d.NamespaceID, d.SessionID, when(d.Due)})
		}
		a.p.table([]string{"ACTION", "NAMESPACE", "SESSION", "DUE"}, rows)
		return
	}
	a.p.line("%d expired, %d idled, %d archived, %d failed, %d values reclaimed, %d events trimmed",
		r.Expired, r.Idled, r.Archived, r.Failed, r.Reclaimed, r.Trimmed)
}

// Sweep sweeps the store once.
func (f *file) Sweep(ctx context.Context, o sweepOptions) (sweepReport, error) {
	r, err := f.store.Sweep(ctx, seshat.SweepOptions(o))
	if err != nil && r.Failed == 0 {
		return sweepReport{}, err
	}
	v := sweepReport{
		DryRun: o.DryRun, Expired: r.Expired, Idled: r.Idled, Archived: r.Archived, Rescheduled: r.Rescheduled,
		Failed: r.Failed, Trimmed: r.Trimmed, Reclaimed: r.Reclaimed,
	}
	if r.Err != nil {
		v.Error = r.Err.Error()
	}
	if r.ClockJump != 0 {
		v.ClockJump = r.ClockJump.String()
	}
	for _, d := range r.Due {
		v.Due = append(v.Due, dueSession(d))
	}
	return v, nil
}
