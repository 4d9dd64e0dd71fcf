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

// migratedSpace is one namespace of it, by the number that the store gave it; 0
// is the store itself.
type migratedSpace struct {
	Ordinal uint64 `json:"ordinal"`
	migrate.Sums
	Digest string `json:"digest"`
}

func (a *app) migrateCmd() *cobra.Command {
	var from, to string
	c := &cobra.Command{
		Use:   "migrate --from STORE --to STORE",
		Short: "Move a whole store to another engine, or into another file",
		Long: `Copy a whole store, from a file into a PostgreSQL database, back, or into another
file, and compare both at the end. A store is a path or a URL
(postgres://USER@HOST/DATABASE). Nothing is lost: versions, deadlines, states,
logs with their holes, message ids, keys, policies, leases, and change feeds
with their positions. The source is opened read-only, and stays as it is.

The source must not be written meanwhile. For a file its lock sees to that: stop
the server. A database has no such lock: stop all that use it. If it was written
all the same, the migration ends with exit code 4, and the destination is to be
removed.

The destination must hold nothing. It is made if it is not there, and no store
opens on it until the migration is complete. Run the same command again after
an interruption or a kill, and it goes on.`,
		Example: `  seshat migrate --from agents.db --to 'postgres://app@db.internal/agents'
  seshat migrate --from 'postgres://app@db.internal/agents?schema=old' --to agents.db`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, other := range []string{"db", "store", "url"} {
				if c.Flags().Changed(other) {
					return usagef("--%s: migrate takes --from and --to", other)
				}
			}
			return a.migrate(c.Context(), from, to)
		},
	}
	c.Flags().StringVar(&from, "from", "", "store to copy: a file, or the URL of a database")
	c.Flags().StringVar(&to, "to", "", "store to make: a file, or the URL of a database")
	return c
}

func (a *app) migrate(ctx context.Context, from, to string) error {
	if from == "" || to == "" {
		return usagef("which stores? Give --from STORE and --to STORE")
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

// stageBars show one stage of a migration after the other.
type stageBars struct {
	a     *app
	stage migrate.Stage
	bar   progress
}

func (s *stageBars) at(p migrate.Progress) {
	if p.Total.Bytes == 0 {
		return // it is over in a moment
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
	what := "moved, and the same on both sides"
	if v.Present {
		what = "nothing to move: the same was there before"
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
