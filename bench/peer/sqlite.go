package peer

import (
	"context"
	"database/sql"
	"path/filepath"

	"github.com/seshatdb/seshat/bench/load"
	"github.com/vmihailenco/msgpack/v5"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

var sqliteKind = Kind{
	Name: "SQLite",
	What: "tables of our own on modernc.org/sqlite: WAL, synchronous=FULL, one connection that writes, " +
		"prepared statements",
	Open: func(dir string) (Peer, error) { return openSQLite(filepath.Join(dir, "sqlite.db")) },
}

const sqliteSchema = `
CREATE TABLE sessions (id TEXT PRIMARY KEY, user TEXT, created INT, active INT, expires INT, data BLOB) WITHOUT ROWID;
CREATE INDEX by_user ON sessions (user, created DESC);
CREATE INDEX by_active ON sessions (active DESC);
CREATE TABLE messages (session TEXT, seq INT, id TEXT, data BLOB, PRIMARY KEY (session, seq)) WITHOUT ROWID;
CREATE UNIQUE INDEX by_id ON messages (session, id);`

type sqlite struct {
	w, r                                               *sql.DB
	get, insert, find, update, log, byUser, byActivity *sql.Stmt
}

// sqliteDSN has the settings of a durable file that is read while it is
// written.
func sqliteDSN(path string) string {
	return "file:" + path +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate"
}

func openSQLite(path string) (_ *sqlite, err error) {
	p := new(sqlite)
	if p.w, err = sql.Open("sqlite", sqliteDSN(path)); err != nil {
		return nil, err
	}
	p.w.SetMaxOpenConns(1)
	if _, err = p.w.Exec(sqliteSchema); err != nil {
		return nil, err
	}
	if p.r, err = sql.Open("sqlite", sqliteDSN(path)); err != nil {
		return nil, err
	}
	p.r.SetMaxOpenConns(8)
	p.r.SetMaxIdleConns(8)
	for _, s := range []struct {
		db    *sql.DB
		stmt  **sql.Stmt
		query string
	}{
		{p.w, &p.insert, `INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)`},
		{p.w, &p.find, `SELECT data FROM sessions WHERE id = ?`},
		{p.w, &p.update, `UPDATE sessions SET active = ?, expires = ?, data = ? WHERE id = ?`},
		{p.w, &p.log, `INSERT INTO messages VALUES (?, ?, ?, ?)`},
		{p.r, &p.get, `SELECT data FROM sessions WHERE id = ? AND expires > ?`},
		{p.r, &p.byUser, `SELECT data FROM sessions WHERE user = ? ORDER BY created DESC LIMIT ?`},
		{p.r, &p.byActivity, `SELECT data FROM sessions ORDER BY active DESC LIMIT ?`},
	} {
		if *s.stmt, err = s.db.Prepare(s.query); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// within runs fn in a transaction that writes.
func (p *sqlite) within(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := p.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

func (p *sqlite) create(tx *sql.Tx, s *load.Session) error {
	b, err := encode(s)
	if err != nil {
		return err
	}
	_, err = tx.Stmt(p.insert).Exec(s.ID, s.User, s.Created, s.Active, s.Expires, b)
	return err
}

func (p *sqlite) file(tx *sql.Tx, id string, m *load.Message) error {
	b, err := msgpack.Marshal(m)
	if err != nil {
		return err
	}
	_, err = tx.Stmt(p.log).Exec(id, m.Seq, m.ID, b)
	return err
}

func (p *sqlite) change(tx *sql.Tx, id string, fn func(*load.Session)) error {
	var b []byte
	if err := tx.Stmt(p.find).QueryRow(id).Scan(&b); err != nil {
		return err
	}
	s, err := decode(b)
	if err != nil {
		return err
	}
	fn(s)
	if b, err = encode(s); err != nil {
		return err
	}
	_, err = tx.Stmt(p.update).Exec(s.Active, s.Expires, b, id)
	return err
}

func (p *sqlite) Create(ctx context.Context, s *load.Session) error {
	return p.within(ctx, func(tx *sql.Tx) error { return p.create(tx, s) })
}

func (p *sqlite) Touch(ctx context.Context, id string) error {
	return p.within(ctx, func(tx *sql.Tx) error { return p.change(tx, id, (*load.Session).Touch) })
}

func (p *sqlite) Append(ctx context.Context, id string, m *load.Message) error {
	c := *m
	return p.within(ctx, func(tx *sql.Tx) error {
		if err := p.change(tx, id, func(s *load.Session) { s.Add(&c) }); err != nil {
			return err
		}
		return p.file(tx, id, &c)
	})
}

func (p *sqlite) Get(ctx context.Context, id string) error {
	var b sql.RawBytes
	rows, err := p.get.QueryContext(ctx, id, load.Now())
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return errGone
	}
	if err := rows.Scan(&b); err != nil {
		return err
	}
	_, err = decode(b)
	return err
}

func (p *sqlite) ListUser(ctx context.Context, user string, limit int) (int, error) {
	rows, err := p.byUser.QueryContext(ctx, user, limit)
	return read(rows, err)
}

func (p *sqlite) ListActive(ctx context.Context, limit int) (int, error) {
	rows, err := p.byActivity.QueryContext(ctx, limit)
	return read(rows, err)
}

// read decodes all rows.
func read(rows *sql.Rows, err error) (n int, _ error) {
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var b sql.RawBytes
	for ; rows.Next(); n++ {
		if err := rows.Scan(&b); err != nil {
			return n, err
		}
		if _, err := decode(b); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

func (p *sqlite) Fill(ctx context.Context, all []Filling) error {
	return p.within(ctx, func(tx *sql.Tx) error {
		for i := range all {
			f := &all[i]
			f.number()
			if err := p.create(tx, f.Session); err != nil {
				return err
			}
			for _, m := range f.Messages {
				if err := p.file(tx, f.Session.ID, m); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (p *sqlite) Close() error {
	err := p.r.Close()
	if e := p.w.Close(); err == nil {
		err = e
	}
	return err
}
