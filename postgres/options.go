package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seshatdb/seshat/driver"
)

// Options choose how a Driver uses its database. The zero value is useful.
type Options struct {
	// Schema holds all tables. It is made if it is not there. One database
	// can hold several stores. At most 63 bytes. The default is seshat.
	Schema string

	// MaxConns bounds the connections. A call waits for one until its context
	// ends. The default is 16.
	MaxConns int

	// CommitTimeout is how long a call that has no deadline of its own waits
	// for the answer to a commit before it returns driver.ErrUnknown. The
	// default is 30 seconds.
	CommitTimeout time.Duration

	// PollEvery is how often the driver looks for events that other processes
	// wrote, once something watches. The default is a second.
	PollEvery time.Duration

	// Partitions, if not zero, makes the tables hash-partitioned by namespace
	// when they are made. It is ignored for tables that are there. At most
	// 1024. The default is no partitions.
	Partitions int

	// ReadOnly opens the store for reading alone: on a standby, say. Tables
	// are then neither made nor migrated.
	ReadOnly bool

	// Tracer sees the statements, as every tracer of pgx does: one that is a
	// pgx.BatchTracer too sees all. nil: nobody does.
	Tracer pgx.QueryTracer
}

func (o Options) withDefaults() (Options, error) {
	o.Schema = cmp.Or(o.Schema, "seshat")
	o.MaxConns = cmp.Or(o.MaxConns, 16)
	o.CommitTimeout = cmp.Or(o.CommitTimeout, 30*time.Second)
	o.PollEvery = cmp.Or(o.PollEvery, time.Second)
	switch {
	case len(o.Schema) > 63 || !isText(o.Schema) || strings.ContainsAny(o.Schema, "{}"):
		return o, fmt.Errorf("%w: Options.Schema is no name of a schema", driver.ErrInvalid)
	case o.MaxConns < 1 || o.MaxConns > 1<<15:
		return o, fmt.Errorf("%w: Options.MaxConns is %d", driver.ErrInvalid, o.MaxConns)
	case o.CommitTimeout < 0 || o.PollEvery < 0:
		return o, fmt.Errorf("%w: Options has a negative duration", driver.ErrInvalid)
	case o.Partitions < 0 || o.Partitions > 1024:
		return o, fmt.Errorf("%w: Options.Partitions is %d", driver.ErrInvalid, o.Partitions)
	}
	return o, nil
}

// poolConfig reads the DSN. Unless it says otherwise, statements have no names
// on the server and a session no state, so that a pooler that hands out servers
// by transaction can be between.
func poolConfig(dsn string, o Options) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, dsnError(err)
	}
	if !strings.Contains(dsn, "default_query_exec_mode") {
		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	c.ConnConfig.Tracer = o.Tracer
	c.MaxConns = int32(o.MaxConns)
	c.MinConns = 0
	return c, nil
}

// dsnError says what is wrong with a DSN, and of the DSN itself, in which there
// may be a password, no more than the name of a file.
func dsnError(err error) error {
	text := "it cannot be read"
	var bad *pgconn.ParseConfigError
	if errors.As(err, &bad) {
		hidden := *bad
		hidden.ConnString = ""
		text = strings.TrimPrefix(hidden.Error(), "cannot parse ``: ")
		if inner := bad.Unwrap(); inner != nil {
			text = strings.TrimSuffix(text, " ("+inner.Error()+")")
		}
	}
	var file *fs.PathError
	if errors.As(err, &file) {
		return fmt.Errorf("%w: the DSN: %s: %w", driver.ErrInvalid, text, file)
	}
	return fmt.Errorf("%w: the DSN: %s", driver.ErrInvalid, text)
}

// isText reports whether the engine can keep s in a column of text.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
