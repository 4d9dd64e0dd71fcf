package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

// storeStats are a store's counters since it was opened, and the contents of
// its namespaces.
type storeStats struct {
	Driver      string       `json:"driver"`
	FileSize    int64        `json:"file_size"`
	FreeBytes   int64        `json:"free_bytes"`
	Commits     uint64       `json:"commits"`
	Ops         uint64       `json:"ops"`
	AvgCommitMS float64      `json:"avg_commit_ms"`
	MaxCommitMS float64      `json:"max_commit_ms"`
	Sweeps      uint64       `json:"sweeps"`
	LastSweep   *time.Time   `json:"last_sweep"`
	SweepLagMS  int64        `json:"sweep_lag_ms"`
	SweepPaused bool         `json:"sweep_paused"`
	Failed      string       `json:"failed,omitempty"`
	Namespaces  []spaceStats `json:"namespaces"`
}

// spaceStats counts the contents of a namespace.
type spaceStats struct {
	NamespaceID    string        `json:"namespace_id"`
	Name           string        `json:"name"`
	OrganizationID string        `json:"internal_id"`
	Sessions       sessionCounts `json:"sessions"`
	Messages       uint64        `json:"messages"`
	Bytes          uint64        `json:"bytes"`
}

// sessionCounts shows the sessions of a usage, by the names of their statuses.
type sessionCounts struct{ usage seshat.Usage }

func (c sessionCounts) MarshalJSON() ([]byte, error) { //nolint:unparam // a json.Marshaler
	b := []byte{'{'}
	for i, s := range seshat.Statuses() {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "%q:%d", s, c.usage.ByStatus(s))
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads what another process serves.
func (c *sessionCounts) UnmarshalJSON(text []byte) error {
	counts := map[string]uint64{}
	if err := json.Unmarshal(text, &counts); err != nil {
		return err
	}
	for _, s := range seshat.Statuses() {
		c.usage.PerStatus[s] = counts[s.String()]
	}
	return nil
}

func (a *app) statsCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "stats",
		Short: "Show the counters of a store and of its namespaces",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.operate(c, "stats", false, func(ctx context.Context, o operator) error {
				s, err := o.Stats(ctx, a.target.place())
				if err != nil {
					return err
				}
				return a.p.show(s, func() { a.showStats(s) })
			})
		},
	}
	a.readOnlyFlag(c)
	return c
}

func (a *app) showStats(s storeStats) {
	last := time.Time{}
	if s.LastSweep != nil {
		last = *s.LastSweep
	}
	a.p.fields(
		field{"driver", s.Driver}, field{"file", inBytes(s.FileSize, s.FileSize)},
		field{"free in it", inBytes(s.FreeBytes, s.FileSize)},
		field{"commits", count(s.Commits)}, field{"sweeps", count(s.Sweeps)}, field{"last sweep", when(last)},
		field{"failed", s.Failed},
	)
	rows := make([][]string, 0, len(s.Namespaces))
	for _, n := range s.Namespaces {
		row := []string{n.Name, n.OrganizationID}
		for _, s := range seshat.Statuses() {
			row = append(row, count(n.Sessions.usage.ByStatus(s)))
		}
		rows = append(rows, append(row, count(n.Messages), size(int64(n.Bytes))))
	}
	head := []string{"NAMESPACE", "ORGANIZATION"}
	for _, s := range seshat.Statuses() {
		head = append(head, strings.ToUpper(s.String()))
	}
	a.p.table(append(head, "MESSAGES", "SIZE"), rows)
}

// inBytes formats bytes. It returns nothing if the store has no file.
func inBytes(n, file int64) string {
	if file == 0 {
		return ""
	}
	return size(n)
}

// Stats returns the store's counters, and the contents of the namespace at p.
// If p names no namespace, it counts all of the organization, or else of the
// store.
func (f *file) Stats(ctx context.Context, p place) (storeStats, error) {
	s, err := f.store.Stats(ctx)
	if err != nil {
		return storeStats{}, err
	}
	e := s.Engine
	v := storeStats{
		Driver: s.Driver, FileSize: e.FileSize, FreeBytes: e.FreePages * int64(e.PageSize), Commits: e.Commits,
		Ops:         e.Ops,
		MaxCommitMS: milliseconds(e.MaxCommit), Sweeps: s.Sweeps, SweepLagMS: s.SweepLag.Milliseconds(),
		SweepPaused: s.SweepPaused, Namespaces: []spaceStats{},
	}
	if e.Commits > 0 {
		v.AvgCommitMS = milliseconds(e.CommitTime) / float64(e.Commits)
	}
	if !s.LastSweep.IsZero() {
		v.LastSweep = &s.LastSweep
	}
	if e.Failed != nil {
		v.Failed = e.Failed.Error()
	}
	v.Namespaces, err = f.usage(ctx, p)
	return v, err
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (f *file) usage(ctx context.Context, p place) ([]spaceStats, error) {
	namespaces, err := f.Namespaces(ctx, p)
	if p.Namespace != "" {
		var t *seshat.Tenant
		if t, err = f.store.Tenant(ctx, p.ref()); err == nil {
			namespaces = []seshat.Namespace{{ID: t.ID(), OrganizationID: t.OrganizationID()}}
		}
	}
	if err != nil {
		return nil, err
	}
	all := make([]spaceStats, 0, len(namespaces))
	for _, n := range namespaces {
		s, err := f.spaceStats(ctx, n)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (f *file) spaceStats(ctx context.Context, ref seshat.Namespace) (spaceStats, error) {
	t, err := f.store.Tenant(ctx, ref)
	if err != nil {
		return spaceStats{}, err
	}
	n, err := t.Namespace(ctx)
	if err != nil {
		return spaceStats{}, err
	}
	u, err := t.Usage(ctx)
	return spaceStats{
		NamespaceID: n.ID, Name: n.Name, OrganizationID: n.OrganizationID,
		Sessions: sessionCounts{u},
		Messages: u.Messages, Bytes: u.Bytes,
	}, err
}
