// Package postgres keeps sessions in PostgreSQL, or in an engine that speaks
// its protocol, for stores that outgrow one machine. Several processes may
// share one database.
//
// A change takes two round trips: one locks and reads what the op's Target
// names, one writes and commits. Every other call takes one. Nothing depends on
// the state of a connection, so that a pooler may be between.
//
// Ids, users, labels and message ids are kept as text: one that is not valid
// UTF-8, or holds a zero byte, is driver.ErrInvalid in a change, and is not
// found by a read. Message numbers end at math.MaxInt64.
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

	sql   interface{ Replace(string) string }
	texts sync.Map // statement with braces → the same with the schema

	clock   clock
	count   driver.CommitCounter
	feeds   watched
	flights flights
	erased  erased
	ending  context.CancelFunc // ends background work
	ended   context.Context

	mu      sync.Mutex // guards closing, and that running grows only before it
	closing bool
	running sync.WaitGroup
	close   sync.Once
}

// Open connects to the database that dsn names (a URL, or keywords and values),
// and makes or migrates the tables if that is needed. Several processes may do
// so at once. ctx bounds Open alone.
//
// driver.ErrFormat: the tables are of a newer version than this package knows,
// or, with Options.ReadOnly, of another or not there. driver.ErrInvalid: an
// option is not allowed, or dsn cannot be read; its text is not in the error.
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

// text returns a statement with the schema in it.
func (d *Driver) text(statement string) string {
	if t, ok := d.texts.Load(statement); ok {
		return t.(string)
	}
	t := d.sql.Replace(statement)
	d.texts.Store(statement, t)
	return t
}

// begin begins a call. end must be called after it.
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

// Close waits for running calls, makes later ones return driver.ErrClosed, and
// ends all connections.
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

// closeTimeout bounds what Close still has to write.
const closeTimeout = 2 * time.Second
