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

// Options configure a Driver. The zero value is a good default.
type Options struct {
	// Schema contains all tables. It is created if it does not exist. One
	// database can have several stores. At most 63 bytes. The default is
	// seshat.
	Schema string

	// MaxConns is the largest number of connections. A call waits for one until
	// its context ends. The default is 16.
	MaxConns int

	// CommitTimeout is the time that a call without a deadline waits for a
	// commit before it returns driver.ErrUnknown. The default is 30 seconds.
	CommitTimeout time.Duration

	// PollEvery is the interval at which the driver polls for events of other
	// processes while a watch runs. The default is one second.
	PollEvery time.Duration

	// Partitions is the number of hash partitions by namespace, at most 1024.
	// It applies only when the tables are created. The default is no
	// partitions.
	Partitions int

	// ReadOnly opens the store only for reading, such as on a standby. Tables
	// are neither created nor migrated.
	ReadOnly bool

	// Tracer traces the statements. To see all of them, it must also be a
	// pgx.BatchTracer. The default is none.
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

// poolConfig parses the DSN. Unless the DSN says otherwise, statements have no
// names on the server and sessions no state, so that a transaction pooler can
// be used.
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

// dsnError describes an invalid DSN. The DSN may contain a password, so the
// error has no part of it except the name of a file.
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

// isText reports whether the engine can store s as text.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
