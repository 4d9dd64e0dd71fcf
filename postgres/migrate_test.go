package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/postgres"
)

// older makes a schema from a dump, in which it is named old.
func older(t *testing.T, dsn, dump string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + dump)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("older_%d_%s", os.Getpid(), strings.TrimSuffix(dump, ".sql"))
	sql := strings.NewReplacer("old.", name+".", "SCHEMA old;", "SCHEMA "+name+";").Replace(string(text))
	t.Cleanup(func() {
		if _, err := schemas.Admin(t, dsn).Exec(context.Background(), "drop schema "+name+" cascade"); err != nil {
			t.Error(err)
		}
	})
	if _, err := schemas.Admin(t, dsn).Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestMigrate proves that a database whose tables are of version 1 is opened,
// by several at once, with all that it held, and goes on from there.
func TestMigrate(t *testing.T) {
	for _, dump := range []string{"schema1.sql", "schema1_partitioned.sql"} {
		t.Run(dump, func(t *testing.T) {
			dsn := database(t)
			// How many partitions there are, the tables say.
			o := postgres.Options{Schema: older(t, dsn, dump), Partitions: 7}
			var done sync.WaitGroup
			for range 4 {
				done.Add(1)
				go func() {
					defer done.Done()
					open(t, dsn, o)
				}()
			}
			done.Wait()
			migrated(t, open(t, dsn, o))
			var n int
			err := schemas.Admin(t, dsn).QueryRow(t.Context(), `select count(*) from pg_inherits
				where inhparent = to_regclass($1)`, o.Schema+".pending").Scan(&n)
			if want := 2 * strings.Count(dump, "partitioned"); err != nil || n != want {
				t.Errorf("%d partitions, want %d, error %v", n, want, err)
			}
		})
	}
}

// migrated expects what the dumps hold: s0 with one message, archived, and s2
// with three; s1 was deleted. Of 11 events 8 were kept.
func migrated(t *testing.T, d *postgres.Driver) {
	audit(t, d)
	s, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	before, head, err := tenant.Events(t.Context(), 3, 100)
	if err != nil || len(before) != 8 || head != 11 {
		t.Fatalf("%d events up to %d, error %v", len(before), head, err)
	}
	usageIs(t, d, 2, 4)
	if _, err := tenant.Append(t.Context(), "s2", seshat.Message{Role: seshat.RoleUser, Content: "again"}); err != nil {
		t.Fatal(err)
	}
	after, head, err := tenant.Events(t.Context(), 11, 100)
	if err != nil || len(after) != 1 || head != 12 || after[0].SessionID != "s2" || after[0].LastSeq != 4 {
		t.Errorf("events %+v up to %d, error %v", after, head, err)
	}
	usageIs(t, d, 2, 5)
	audit(t, d)
}

// usageIs expects so many sessions and messages in namespace 1.
func usageIs(t *testing.T, d driver.Driver, sessions, messages uint64) {
	t.Helper()
	u, err := d.Count(t.Context(), driver.Query{Namespace: 1, Now: 1})
	if err != nil || u.Total() != sessions || u.Messages != messages {
		t.Errorf("counted %+v, error %v, want %d sessions and %d messages", u, err, sessions, messages)
	}
}

// TestViews proves that the views for people say what the store says, also of
// what is pending.
func TestViews(t *testing.T) {
	dsn := database(t)
	o := postgres.Options{Schema: schemas.Get(t, dsn, 0)}
	tenant, err := storeOn(t, dsn, o).EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	for i, status := range []seshat.Status{
		seshat.StatusActive, seshat.StatusIdle, seshat.StatusArchived,
		seshat.StatusTerminated,
	} {
		id := fmt.Sprint("s", i)
		if _, err := tenant.Create(t.Context(), seshat.NewSession{ID: id}); err != nil {
			t.Fatal(err)
		}
		if _, err := tenant.Transition(t.Context(), id, status, seshat.TransitionOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	show := func(sql, want string) {
		t.Helper()
		var got string
		if err := schemas.Admin(t, dsn).QueryRow(t.Context(), fmt.Sprintf(sql, o.Schema)).Scan(&got); err != nil ||
			got != want {
			t.Errorf("%s: %s, error %v, want %s", sql, got, err, want)
		}
	}
	both := func(events string) {
		t.Helper()
		show(`select string_agg(status, ' ' order by session_id) from %s.session_list`,
			"active idle archived terminated")
		show(`select concat_ws(' ', active, idle, archived, terminated, feed_head, feed_tail) from %s.usage_list`,
			"1 1 1 1 7 0")
		show(`select string_agg(coalesce(position::text, '?'), ' ' order by position) from %s.event_list`, events)
	}
	both("? ? ? ? ? ? ?")
	if _, _, err := tenant.Events(t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	both("1 2 3 4 5 6 7")
}
