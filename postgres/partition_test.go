package postgres_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver/drivertest"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/storetest"
)

// partitioned are options that partition the tables by namespace.
var partitioned = postgres.Options{Partitions: 4}

func TestPartitionedConformance(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, harness(partitioned))
}

// TestPartitionedStore takes a minute and seldom finds a fault that the other
// tests miss, so it runs only if SESHAT_TEST_LONG is set.
func TestPartitionedStore(t *testing.T) {
	if os.Getenv("SESHAT_TEST_LONG") == "" {
		t.Skip("set SESHAT_TEST_LONG to run it")
	}
	t.Parallel()
	storetest.Run(t, stores(partitioned))
}

// recorder keeps each distinct statement with the arguments of its last call.
type recorder struct {
	mu   sync.Mutex
	seen map[string][]any
}

func (r *recorder) see(sql string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[sql] = args
}

func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	r.see(d.SQL, d.Args)
	return ctx
}

func (r *recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (r *recorder) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	for _, q := range d.Batch.QueuedQueries {
		r.see(q.SQL, q.Arguments)
	}
	return ctx
}

func (r *recorder) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (r *recorder) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// workload runs every kind of store operation.
func workload(t *testing.T, s *seshat.Store) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	tenant, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	must(err)
	must(tenant.SetQuotas(ctx, seshat.NamespaceQuotas{MaxSessions: 100}))
	for _, id := range []string{"a", "b", "c"} {
		_, err = tenant.Create(ctx, seshat.NewSession{ID: id, UserID: "mia", Labels: map[string]string{"l": id}})
		must(err)
		for range 3 {
			_, err = tenant.Append(ctx, id, seshat.Message{ID: id, Role: seshat.RoleUser, Content: "hello"})
			must(err)
			_, err = tenant.Append(ctx, id, seshat.Message{Role: seshat.RoleUser, Content: "hello"})
			must(err)
		}
	}
	err = tenant.MergeState(ctx, seshat.UserScope("mia"), map[string]any{"k": 1})
	must(err)
	err = tenant.MergeState(ctx, seshat.SessionScope("a"), map[string]any{"k": 1})
	must(err)
	_, err = tenant.EditMessage(ctx, "a", 1, func(m *seshat.Message) error { m.Content = "hi"; return nil })
	must(err)
	_, err = tenant.Truncate(ctx, "a", 2)
	must(err)
	_, err = tenant.Fork(ctx, "b", seshat.ForkOptions{ID: "fork"})
	must(err)
	for _, q := range []seshat.Query{
		{},
		{UserID: "mia"},
		{Labels: map[string]string{"l": "a"}, Order: seshat.OrderByActivity},
	} {
		_, err = tenant.List(ctx, q)
		must(err)
		_, err = tenant.Count(ctx, q)
		must(err)
	}
	_, _, err = tenant.Events(ctx, 0, 100)
	must(err)
	_, err = tenant.History(ctx, "b", seshat.HistoryQuery{})
	must(err)
	_, err = tenant.Delete(ctx, "c")
	must(err)
	_, err = tenant.DeleteUser(ctx, "mia")
	must(err)
	_, err = s.Sweep(ctx, seshat.SweepOptions{})
	must(err)
	_, err = tenant.DeleteNamespace(ctx)
	must(err)
}

var partition = regexp.MustCompile(`\b(\w+)_p(\d+)\b`)

// TestOnePartition checks that each statement that names a namespace touches
// only the partition of that namespace. It skips the statements of the sweeper
// and the statements that create tables.
func TestOnePartition(t *testing.T) {
	r := &recorder{seen: map[string][]any{}}
	w := place{dsn: database(t), o: partitioned}
	w.o.Schema, w.o.Tracer = schemas.Get(t, w.dsn, w.o.Partitions), r
	d := open(t, w.dsn, w.o)
	s, err := seshat.OpenDriver(d, seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		t.Fatal(err)
	}
	workload(t, s)
	guarded := 0
	for sql, args := range r.seen {
		if !strings.Contains(sql, "$1") || strings.Contains(sql, "until") && !strings.Contains(sql, "namespace = $1") ||
			strings.Contains(sql, "where due <= $1") || strings.Contains(sql, "create ") ||
			strings.Contains(sql, `".schema`) {
			continue
		}
		guarded++
		explain(t, w.dsn, sql, args)
	}
	if guarded < 25 {
		t.Errorf("only %d statements were looked at", guarded)
	}
}

func explain(t *testing.T, dsn, sql string, args []any) {
	t.Helper()
	rows, err := schemas.Admin(t, dsn).Query(t.Context(), "explain "+sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	touched := map[string]string{}
	for _, m := range partition.FindAllStringSubmatch(strings.Join(lines, "\n"), -1) {
		table := strings.SplitN(m[1], "_", 2)[0]
		if was, ok := touched[table]; ok && was != m[2] {
			t.Errorf("partitions %s and %s of %s are touched by\n%s\n%s", was, m[2], table, sql,
				strings.Join(lines, "\n"))
			return
		}
		touched[table] = m[2]
	}
	if len(touched) == 0 && !strings.Contains(sql, "insert") && !strings.Contains(fmt.Sprint(lines), "never") {
		t.Errorf("no partition is touched by\n%s\n%s", sql, strings.Join(lines, "\n"))
	}
}
