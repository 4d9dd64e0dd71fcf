// Package postgres keeps sessions in PostgreSQL, or in an engine with its
// protocol, for stores that need more than one machine. Several processes may
// share one database.
//
// A change takes two round trips: the first locks and reads the data that the
// op's Target names, the second writes and commits. Every other call takes one.
// Nothing depends on the state of a connection, so a pooler may be used.
//
// Ids, users, labels and message ids are stored as text. Text that is not valid
// UTF-8 or has a zero byte is driver.ErrInvalid in a change, and not found in a
// read. The largest message number is math.MaxInt64 - 1.
package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seshatdb/seshat/driver"
)

var (
	_ driver.Driver   = (*Driver)(nil)
	_ driver.Checker  = (*Driver)(nil)
	_ driver.Notifier = (*Driver)(nil)
	_ driver.Statser  = (*Driver)(nil)
)

// Driver is a store in a database. It is safe for concurrent use.
type Driver struct {
	pool *pgxpool.Pool
	o    Options
	caps driver.Caps

	sql   interface{ Replace(string) string } // replaces {table} by schema.table
	texts sync.Map                            // results of sql by statement

	clock   clock
	count   driver.CommitCounter
	feeds   watchedFeeds
	flights flights
	erased  erased
	ending  context.CancelFunc // ends background work
	ended   context.Context

	mu      sync.Mutex // guards closing; running grows only while closing is false
	closing bool
	running sync.WaitGroup
	close   sync.Once
}

// Open connects to the database that dsn names (a URL, or keywords and values).
// It creates or migrates the tables if necessary. Several processes may do so
// at once. ctx applies only to Open.
//
// Open returns driver.ErrFormat if a newer version made the tables or, with
// Options.ReadOnly, if the tables have another version or do not exist. It
// returns driver.ErrInvalid if an option or dsn is not valid; the error does
// not contain dsn.
func Open(ctx context.Context, dsn string, o Options) (*Driver, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	config, err := poolConfig(dsn, o)
	if err != nil {
		return nil, err
	}
	d := &Driver{o: o, sql: qualifier(o.Schema)}
	d.caps = driver.Caps{
		Name: "postgres", Durable: true, Shared: true, ReadOnly: o.ReadOnly,
		MaxRecord: 1 << 20, MaxMessage: 8 << 20, MaxEntry: 1 << 20,
	}
	d.ended, d.ending = context.WithCancel(context.Background())
	if d.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	if err := d.start(ctx); err != nil {
		d.ending()
		d.pool.Close()
		return nil, err
	}
	return d, nil
}

func (d *Driver) start(ctx context.Context) error {
	if err := d.migrate(ctx); err != nil {
		return err
	}
	return d.startClock(ctx)
}

// text returns a statement with the schema's name.
func (d *Driver) text(statement string) string {
	if t, ok := d.texts.Load(statement); ok {
		return t.(string)
	}
	t := d.sql.Replace(statement)
	d.texts.Store(statement, t)
	return t
}

// begin begins a call. Call end after it.
func (d *Driver) begin(ctx context.Context) (end func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return nil, driver.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.running.Add(1)
	return d.running.Done, nil
}

// Caps returns the driver's limits.
func (d *Driver) Caps() driver.Caps { return d.caps }

// Close waits for running calls and closes all connections. Later calls return
// driver.ErrClosed.
func (d *Driver) Close() error {
	d.close.Do(func() {
		d.mu.Lock()
		d.closing = true
		d.mu.Unlock()
		d.ending()
		d.running.Wait()
		d.saveClock()
		d.pool.Close()
	})
	return nil
}

// closeTimeout is the time limit for the last write of Close.
const closeTimeout = 2 * time.Second
