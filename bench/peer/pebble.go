package peer

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
	"github.com/seshatdb/seshat/bench/load"
	"github.com/vmihailenco/msgpack/v5"
)

var pebbleKind = Kind{
	Name: "Pebble",
	What: "a Batch and pebble.Sync a write, a lock of our own around read and write; records, an index by " +
		"user, messages",
	Open: func(dir string) (Peer, error) {
		db, err := pebble.Open(filepath.Join(dir, "pebble"), &pebble.Options{Logger: silent{}})
		if err != nil {
			return nil, err
		}
		return &pebbleDB{db: db}, nil
	},
}

// silent discards the log of an engine.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}

type pebbleDB struct {
	db    *pebble.DB
	locks locks
}

func (p *pebbleDB) read(id string) (*load.Session, error) {
	b, c, err := p.db.Get(recordKey(id))
	if err != nil {
		return nil, err
	}
	s, err := decode(b)
	return s, errors.Join(err, c.Close())
}

// write changes a session and adds the writes of also.
func (p *pebbleDB) write(id string, fn func(*load.Session), also func(*pebble.Batch) error) error {
	defer p.locks.lock(id)()
	s, err := p.read(id)
	if err != nil {
		return err
	}
	fn(s)
	v, err := encode(s)
	if err != nil {
		return err
	}
	b := p.db.NewBatch()
	defer b.Close()
	if err := b.Set(recordKey(id), v, nil); err != nil {
		return err
	}
	if err := also(b); err != nil {
		return err
	}
	return b.Commit(pebble.Sync)
}

func (p *pebbleDB) Create(_ context.Context, s *load.Session) error {
	b := p.db.NewBatch()
	defer b.Close()
	f := Filling{Session: s}
	if err := f.flat(func(k, v []byte) error { return b.Set(k, v, nil) }); err != nil {
		return err
	}
	return b.Commit(pebble.Sync)
}

func (p *pebbleDB) Touch(_ context.Context, id string) error {
	return p.write(id, (*load.Session).Touch, func(*pebble.Batch) error { return nil })
}

func (p *pebbleDB) Append(_ context.Context, id string, m *load.Message) error {
	c := *m
	return p.write(id, func(s *load.Session) { s.Add(&c) }, func(b *pebble.Batch) error {
		v, err := msgpack.Marshal(&c)
		if err != nil {
			return err
		}
		return b.Set(logKey(id, c.Seq), v, nil)
	})
}

func (p *pebbleDB) Get(_ context.Context, id string) error {
	_, err := p.read(id)
	return err
}

func (p *pebbleDB) ListUser(_ context.Context, user string, limit int) (n int, err error) {
	prefix := userPrefix(user)
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: append(userPrefix(user), 0xff)})
	if err != nil {
		return 0, err
	}
	for ok := it.Last(); ok && n < limit; ok = it.Prev() {
		if _, err := p.read(idOf(it.Key(), prefix)); err != nil {
			return n, errors.Join(err, it.Close())
		}
		n++
	}
	return n, it.Close()
}

func (p *pebbleDB) ListActive(context.Context, int) (int, error) { return 0, ErrNone }

func (p *pebbleDB) Fill(_ context.Context, all []Filling) error {
	for i := range all {
		if err := all[i].flat(func(k, v []byte) error { return p.db.Set(k, v, pebble.NoSync) }); err != nil {
			return err
		}
	}
	return p.db.LogData(nil, pebble.Sync)
}

func (p *pebbleDB) Close() error { return p.db.Close() }
