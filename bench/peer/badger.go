package peer

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/seshatdb/seshat/bench/load"
	"github.com/vmihailenco/msgpack/v5"
)

var badgerKind = Kind{
	Name: "Badger", What: "DB.Update with SyncWrites, again on a conflict; records, an index by user, messages",
	Open: func(dir string) (Peer, error) {
		o := badger.DefaultOptions(filepath.Join(dir, "badger")).WithSyncWrites(true).WithLogger(nil)
		db, err := badger.Open(o)
		if err != nil {
			return nil, err
		}
		return &badgerDB{db}, nil
	},
}

type badgerDB struct{ db *badger.DB }

// keys of the engines whose keys are one flat space.
func recordKey(id string) []byte        { return []byte("r/" + id) }
func indexKey(s *load.Session) []byte   { return append([]byte("u/"), userKey(s)...) }
func logPrefix(id string) []byte        { return append([]byte("l/"+id), 0) }
func userPrefix(user string) []byte     { return append([]byte("u/"+user), 0) }
func idOf(key, prefix []byte) string    { return string(key[len(prefix)+8:]) }
func logKey(id string, n uint64) []byte { return timed(logPrefix(id), int64(n), "") }

func (p *badgerDB) update(fn func(*badger.Txn) error) error {
	for {
		err := p.db.Update(fn)
		if !errors.Is(err, badger.ErrConflict) {
			return err
		}
	}
}

func (p *badgerDB) change(tx *badger.Txn, id string, fn func(*load.Session)) error {
	s, err := p.read(tx, id)
	if err != nil {
		return err
	}
	fn(s)
	b, err := encode(s)
	if err != nil {
		return err
	}
	return tx.Set(recordKey(id), b)
}

func (p *badgerDB) read(tx *badger.Txn, id string) (s *load.Session, err error) {
	item, err := tx.Get(recordKey(id))
	if err != nil {
		return nil, err
	}
	err = item.Value(func(b []byte) error {
		s, err = decode(b)
		return err
	})
	return s, err
}

func (p *badgerDB) Create(_ context.Context, s *load.Session) error {
	b, err := encode(s)
	if err != nil {
		return err
	}
	return p.update(func(tx *badger.Txn) error {
		if err := tx.Set(recordKey(s.ID), b); err != nil {
			return err
		}
		return tx.Set(indexKey(s), nil)
	})
}

func (p *badgerDB) Touch(_ context.Context, id string) error {
	return p.update(func(tx *badger.Txn) error { return p.change(tx, id, (*load.Session).Touch) })
}

func (p *badgerDB) Append(_ context.Context, id string, m *load.Message) error {
	return p.update(func(tx *badger.Txn) error {
		c := *m
		if err := p.change(tx, id, func(s *load.Session) { s.Add(&c) }); err != nil {
			return err
		}
		b, err := msgpack.Marshal(&c)
		if err != nil {
			return err
		}
		return tx.Set(logKey(id, c.Seq), b)
	})
}

func (p *badgerDB) Get(_ context.Context, id string) error {
	return p.db.View(func(tx *badger.Txn) error {
		_, err := p.read(tx, id)
		return err
	})
}

func (p *badgerDB) ListUser(_ context.Context, user string, limit int) (n int, err error) {
	prefix := userPrefix(user)
	err = p.db.View(func(tx *badger.Txn) error {
		it := tx.NewIterator(badger.IteratorOptions{Reverse: true, Prefix: prefix})
		defer it.Close()
		for it.Seek(append(userPrefix(user), 0xff)); n < limit && it.ValidForPrefix(prefix); it.Next() {
			if _, err := p.read(tx, idOf(it.Item().Key(), prefix)); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

func (p *badgerDB) ListActive(context.Context, int) (int, error) { return 0, ErrNone }

func (p *badgerDB) Fill(_ context.Context, all []Filling) error {
	w := p.db.NewWriteBatch()
	defer w.Cancel()
	for i := range all {
		if err := all[i].flat(w.Set); err != nil {
			return err
		}
	}
	return w.Flush()
}

// flat sets all keys of a session in a flat key space.
func (f *Filling) flat(set func(k, v []byte) error) error {
	f.number()
	b, err := encode(f.Session)
	if err != nil {
		return err
	}
	if err := errors.Join(set(recordKey(f.Session.ID), b), set(indexKey(f.Session), nil)); err != nil {
		return err
	}
	for _, m := range f.Messages {
		b, err := msgpack.Marshal(m)
		if err != nil {
			return err
		}
		if err := set(logKey(f.Session.ID, m.Seq), b); err != nil {
			return err
		}
	}
	return nil
}

func (p *badgerDB) Close() error { return p.db.Close() }
