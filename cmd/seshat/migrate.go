package main

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/migrate"
)

// migrated is migrate.Report as JSON.
type migrated struct {
	From string `json:"from"`
	To   string `json:"to"`
	migrate.Sums
	Digest     string          `json:"digest"`
	Resumed    bool            `json:"resumed"`
	Present    bool            `json:"already_there"`
	Seconds    float64         `json:"seconds"`
	Namespaces []migratedSpace `json:"namespaces"`
}

// migratedSpace is one namespace of the report. Ordinal is its number in the
// store; 0 is the store itself.
type migratedSpace struct {
	Ordinal uint64 `json:"ordinal"`
	migrate.Sums
	Digest string `json:"digest"`
}

func (a *app) migrateCmd() *cobra.Command {
	var from, to string
	c := &cobra.Command{
		Use:   "migrate --from STORE --to STORE",
		Short: "Copy a whole store to another engine or file",
		Long: `Copy a whole store from a file to a PostgreSQL database, back, or to another
file, and compare both stores at the end. A store is a path or a URL
(postgres://USER@HOST/DATABASE). The copy has everything: versions, deadlines,
states, logs with their gaps, message ids, keys, policies, leases, and change
feeds with their positions. The source is opened read-only and not changed.

Nobody may write to the source during the migration. The lock of a file ensures
that: stop the server. A database has no such lock: stop all programs that use
it. If the source was written, the migration ends with exit code 4; then remove
the destination.

The destination must be empty. It is created if missing. Until the migration is
complete, no store can open it. If the migration is interrupted, run the same
command again: it resumes.`,
		Example: `  seshat migrate --from agents.db --to 'postgres://app@db.internal/agents'
  seshat migrate --from 'postgres://app@db.internal/agents?schema=old' --to agents.db`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, other := range []string{"db", "store", "url"} {
				if c.Flags().Changed(other) {
					return usagef("--%s: not allowed; migrate takes --from and --to", other)
				}
			}
			return a.migrate(c.Context(), from, to)
		},
	}
	c.Flags().StringVar(&from, "from", "", "`store` to copy: a file, or the URL of a database")
	c.Flags().StringVar(&to, "to", "", "`store` to create: a file, or the URL of a database")
	return c
}

func (a *app) migrate(ctx context.Context, from, to string) error {
	if from == "" || to == "" {
		return usagef("no stores: give --from STORE and --to STORE")
	}
	source, err := parseLocation(from)
	if err != nil {
		return err
	}
	destination, err := parseLocation(to)
	if err != nil {
		return err
	}
	if source.name == destination.name {
		return usagef("--from and --to name the same store")
	}
	old, err := source.driver(ctx, reading)
	if err != nil {
		return err
	}
	return finish(a.migrateInto(ctx, old, source, destination), old)
}

func (a *app) migrateInto(ctx context.Context, old driver.Driver, source, destination location) error {
	fresh, err := destination.driver(ctx, creating)
	if err != nil {
		return err
	}
	start := time.Now()
	bars := &stageBars{a: a}
	r, err := migrate.Run(ctx, old, fresh, migrate.Options{Progress: bars.at})
	bars.bar.done()
	if err = finish(err, fresh); err != nil {
		return err
	}
	v := newMigrated(source, destination, r, time.Since(start))
	return a.p.show(v, func() { a.showMigrated(v) })
}

// stageBars shows one progress bar for each stage of a migration.
type stageBars struct {
	a     *app
	stage migrate.Stage
	bar   progress
}

func (s *stageBars) at(p migrate.Progress) {
	if p.Total.Bytes == 0 {
		return // too short for a bar
	}
	if p.Stage != s.stage {
		s.bar.done()
		s.stage, s.bar = p.Stage, s.a.bar(string(p.Stage), int64(p.Total.Bytes))
	}
	s.bar.at(int64(p.Done.Bytes), int64(max(p.Total.Bytes, p.Done.Bytes)))
}

func newMigrated(from, to location, r migrate.Report, took time.Duration) migrated {
	v := migrated{
		From: from.name, To: to.name, Sums: r.Sums, Digest: hex.EncodeToString(r.Digest[:]),
		Resumed: r.Resumed, Present: r.Present, Seconds: took.Seconds(), Namespaces: []migratedSpace{},
	}
	for _, n := range r.Namespaces {
		v.Namespaces = append(v.Namespaces, migratedSpace{n.Ordinal, n.Sums, hex.EncodeToString(n.Digest[:])})
	}
	return v
}

func (a *app) showMigrated(v migrated) {
	what := "copied; both sides are equal"
	if v.Present {
		what = "nothing to copy; both sides were equal"
	}
	a.p.line("%s: %s", v.To, what)
	rows := make([][]string, 0, len(v.Namespaces))
	for _, n := range v.Namespaces {
		name := count(n.Ordinal)
		if n.Ordinal == 0 {
			name = "(store)"
		}
		rows = append(rows, []string{name, count(n.Sessions), count(n.Messages), size(int64(n.Bytes)), n.Digest[:16]})
	}
	rows = append(rows, []string{"all", count(v.Sessions), count(v.Messages), size(int64(v.Bytes)), v.Digest[:16]})
	a.p.table([]string{"NAMESPACE", "SESSIONS", "MESSAGES", "SIZE", "DIGEST"}, rows)
}
