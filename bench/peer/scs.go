package peer

import (
	"context"
	"path/filepath"
	"time"

	"github.com/alexedwards/scs/boltstore"
	"github.com/seshatdb/seshat/bench/load"
	"github.com/vmihailenco/msgpack/v5"
	bolt "go.etcd.io/bbolt"
)

var scsKind = Kind{
	Name: "scs boltstore",
	What: "a session with its log in one value, as a web session is: Find, change, Commit; a lock of our own " +
		"around that",
	Open: func(dir string) (Peer, error) {
		db, err := bolt.Open(filepath.Join(dir, "scs.db"), 0o600, nil)
		if err != nil {
			return nil, err
		}
		return &scs{db: db, store: boltstore.NewWithCleanupInterval(db, 0)}, nil
	},
}

type scs struct {
	db    *bolt.DB
	store *boltstore.BoltStore
	locks locks
}

// blob is the data of a token.
type blob struct {
	Session  *load.Session
	Messages []*load.Message
}

// find reads a session. The store returns memory of a transaction that has
// ended, so the data may have been overwritten. In that case, find reads it
// again.
func (p *scs) find(id string) (b blob, err error) {
	for range 10 {
		v, ok, err := p.store.Find(id)
		if err != nil {
			return b, err
		}
		if !ok {
			return b, errGone
		}
		if err = msgpack.Unmarshal(v, &b); err == nil {
			return b, nil
		}
	}
	return b, errGone
}

func (p *scs) commit(b *blob) error {
	v, err := msgpack.Marshal(b)
	if err != nil {
		return err
	}
	return p.store.Commit(b.Session.ID, v, time.UnixMilli(b.Session.Expires))
}

func (p *scs) Create(_ context.Context, s *load.Session) error { return p.commit(&blob{Session: s}) }

func (p *scs) Touch(_ context.Context, id string) error {
	defer p.locks.lock(id)()
	b, err := p.find(id)
	if err != nil {
		return err
	}
	b.Session.Touch()
	return p.commit(&b)
}

func (p *scs) Append(_ context.Context, id string, m *load.Message) error {
	defer p.locks.lock(id)()
	b, err := p.find(id)
	if err != nil {
		return err
	}
	c := *m
	b.Session.Add(&c)
	b.Messages = append(b.Messages, &c)
	return p.commit(&b)
}

func (p *scs) Get(_ context.Context, id string) error {
	_, err := p.find(id)
	return err
}

func (p *scs) ListUser(context.Context, string, int) (int, error) { return 0, ErrNone }

func (p *scs) ListActive(context.Context, int) (int, error) { return 0, ErrNone }

func (p *scs) Fill(_ context.Context, all []Filling) error {
	p.db.NoSync = true
	defer func() { p.db.NoSync = false }()
	for i := range all {
		f := &all[i]
		f.number()
		if err := p.commit(&blob{f.Session, f.Messages}); err != nil {
			return err
		}
	}
	return p.db.Sync()
}

func (p *scs) Close() error { return p.db.Close() }
