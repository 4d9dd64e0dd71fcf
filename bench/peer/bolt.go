package peer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"

	"github.com/seshatdb/seshat/bench/load"
	"github.com/vmihailenco/msgpack/v5"
	bolt "go.etcd.io/bbolt"
)

var boltKind = Kind{
	Name: "bbolt",
	What: "plainly: one Update a write, with the same puts as Seshat's; View and msgpack.Unmarshal a read",
	Open: func(dir string) (Peer, error) { return openBolt(filepath.Join(dir, "bolt.db"), "rcuaslifnxm") },
}

// plainBolt uses bbolt as its README shows. Its buckets are Seshat's: records,
// created, users, active, owners (s), log, ids, feed, counters (n), due (x),
// meta.
type plainBolt struct {
	db    *bolt.DB
	write func(func(*bolt.Tx) error) error
	kept  string // the buckets that are written
}

var errGone = errors.New("no such session")

func openBolt(path, kept string) (*plainBolt, error) {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return nil, err
	}
	p := &plainBolt{db: db, write: db.Update, kept: kept}
	err = db.Update(func(tx *bolt.Tx) error {
		for i := range kept {
			if _, err := tx.CreateBucket([]byte(kept[i : i+1])); err != nil {
				return err
			}
		}
		return nil
	})
	return p, err
}

// boltTx is a transaction that collects the first error of its puts.
type boltTx struct {
	*bolt.Tx
	kept string
	err  error
}

func (p *plainBolt) begin(tx *bolt.Tx) *boltTx { return &boltTx{Tx: tx, kept: p.kept} }

func (t *boltTx) keeps(bucket string) bool {
	return bytes.Contains([]byte(t.kept), []byte(bucket))
}

func (t *boltTx) put(bucket string, key, value []byte) {
	if t.err == nil && t.keeps(bucket) {
		t.err = t.Bucket([]byte(bucket)).Put(key, value)
	}
}

func (t *boltTx) putSession(s *load.Session) {
	b, err := encode(s)
	if err != nil {
		t.err = err
	}
	t.put("r", []byte(s.ID), b)
}

// count updates the counters of the namespace.
func (t *boltTx) count(sessions, messages int) {
	if !t.keeps("n") {
		return
	}
	key := []byte("bench")
	v := make([]byte, 60)
	copy(v, t.Bucket([]byte("n")).Get(key))
	binary.BigEndian.PutUint64(v, binary.BigEndian.Uint64(v)+uint64(sessions))
	binary.BigEndian.PutUint64(v[8:], binary.BigEndian.Uint64(v[8:])+uint64(messages))
	t.put("n", key, v)
}

func (t *boltTx) clock() { t.put("m", []byte("clock"), timed(nil, load.Now(), "")) }

// event appends an event to the feed.
func (t *boltTx) event(s *load.Session) {
	if !t.keeps("f") {
		return
	}
	n, err := t.Bucket([]byte("f")).NextSequence()
	if err != nil {
		t.err = err
	}
	t.put("f", timed(nil, int64(n), ""), timed(make([]byte, 24), s.Updated, s.ID))
}

func timed(prefix []byte, at int64, id string) []byte {
	return append(binary.BigEndian.AppendUint64(prefix, uint64(at)), id...)
}

func userKey(s *load.Session) []byte { return timed(append([]byte(s.User), 0), s.Created, s.ID) }

func minuteKey(s *load.Session) []byte { return timed(nil, s.Active/60_000, s.ID) }

func (t *boltTx) create(s *load.Session) {
	t.putSession(s)
	t.put("c", timed(nil, s.Created, s.ID), nil)
	t.put("u", userKey(s), nil)
	t.put("a", minuteKey(s), nil)
	t.put("x", timed(nil, s.Expires, s.ID), nil)
	t.put("s", timed([]byte("incarnat"), s.Created, s.ID), nil)
	t.event(s)
}

func (t *boltTx) file(s *load.Session, m *load.Message) {
	b, err := msgpack.Marshal(m)
	if err != nil {
		t.err = err
	}
	own := append([]byte(s.ID), 0)
	t.put("l", timed(own, int64(m.Seq), ""), b)
	t.put("i", append(own, m.ID...), timed(make([]byte, 16), int64(m.Seq), ""))
}

// change reads a session, changes it with fn, and writes it.
func (t *boltTx) change(id string, fn func(*load.Session)) *load.Session {
	v := t.Bucket([]byte("r")).Get([]byte(id))
	if v == nil {
		t.err = errGone
		return nil
	}
	s, err := decode(v)
	if err != nil {
		t.err = err
		return nil
	}
	old := minuteKey(s)
	fn(s)
	t.putSession(s)
	if now := minuteKey(s); t.keeps("a") && !bytes.Equal(old, now) {
		t.put("a", now, nil)
		t.err = errors.Join(t.err, t.Bucket([]byte("a")).Delete(old))
	}
	return s
}

func (p *plainBolt) Create(_ context.Context, s *load.Session) error {
	return p.write(func(tx *bolt.Tx) error {
		t := p.begin(tx)
		t.create(s)
		t.count(1, 0)
		t.clock()
		return t.err
	})
}

func (p *plainBolt) Touch(_ context.Context, id string) error {
	return p.write(func(tx *bolt.Tx) error {
		t := p.begin(tx)
		t.change(id, (*load.Session).Touch)
		t.clock()
		return t.err
	})
}

func (p *plainBolt) Append(_ context.Context, id string, m *load.Message) error {
	return p.write(func(tx *bolt.Tx) error {
		t := p.begin(tx)
		m := *m
		s := t.change(id, func(s *load.Session) { s.Add(&m) })
		if s == nil {
			return t.err
		}
		t.file(s, &m)
		t.event(s)
		t.count(0, 1)
		t.clock()
		return t.err
	})
}

func (p *plainBolt) Get(_ context.Context, id string) error {
	return p.db.View(func(tx *bolt.Tx) error {
		v := tx.Bucket([]byte("r")).Get([]byte(id))
		if v == nil {
			return errGone
		}
		_, err := decode(v)
		return err
	})
}

func (p *plainBolt) ListUser(_ context.Context, user string, limit int) (int, error) {
	return p.list("u", append([]byte(user), 0), limit)
}

func (p *plainBolt) ListActive(_ context.Context, limit int) (int, error) {
	return p.list("a", nil, limit)
}

// list reads a page of an index, newest first.
func (p *plainBolt) list(index string, prefix []byte, limit int) (n int, err error) {
	if !bytes.Contains([]byte(p.kept), []byte(index)) {
		return 0, ErrNone
	}
	err = p.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(index)).Cursor()
		records := tx.Bucket([]byte("r"))
		for k := last(c, prefix); n < limit && k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			if _, err := decode(records.Get(k[len(prefix)+8:])); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// last returns the last key with the prefix, or nil.
func last(c *bolt.Cursor, prefix []byte) []byte {
	if prefix == nil {
		k, _ := c.Last()
		return k
	}
	if k, _ := c.Seek(append(bytes.Clone(prefix), 0xff)); k == nil {
		k, _ := c.Last()
		return k
	}
	k, _ := c.Prev()
	return k
}

func (p *plainBolt) Fill(_ context.Context, all []Filling) error {
	for len(all) > 0 {
		n := min(1000, len(all))
		err := p.db.Update(func(tx *bolt.Tx) error {
			t := p.begin(tx)
			for i := range all[:n] {
				f := &all[i]
				f.number()
				t.create(f.Session)
				for _, m := range f.Messages {
					t.file(f.Session, m)
				}
			}
			t.count(n, 0)
			return t.err
		})
		if err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

func (p *plainBolt) Close() error { return p.db.Close() }
