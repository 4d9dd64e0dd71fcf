// Package peer puts Seshat and its peers behind one interface. Each is used as
// its own documentation shows.
package peer

import (
	"context"
	"errors"
	"sync"

	"github.com/seshatdb/seshat/bench/load"
	"github.com/vmihailenco/msgpack/v5"
)

// ErrNone is the error of a call that a peer does not support.
var ErrNone = errors.New("the peer does not do this")

// Peer is one store. Every write is durable when it returns. All methods except
// Close are safe for concurrent use.
type Peer interface {
	// Create stores a session that does not exist.
	Create(ctx context.Context, s *load.Session) error
	// Touch marks a session as in use and extends its life.
	Touch(ctx context.Context, id string) error
	// Append adds a message to a session's log, and counts it in its record.
	Append(ctx context.Context, id string, m *load.Message) error
	// Get reads and decodes a session, without its log if that is stored
	// separately.
	Get(ctx context.Context, id string) error
	// ListUser reads a user's newest sessions and returns their number.
	ListUser(ctx context.Context, user string, limit int) (int, error)
	// ListActive reads the sessions with the latest activity.
	ListActive(ctx context.Context, limit int) (int, error)
	// Fill stores sessions with their logs, as cheaply as the peer can.
	Fill(ctx context.Context, all []Filling) error
	Close() error
}

// Filling is a session and its log.
type Filling struct {
	Session  *load.Session   // as it is when the log is complete
	Messages []*load.Message // in order
}

// Kind is a kind of peer.
type Kind struct {
	Name string // as in the results
	// What describes in one line how the peer is used.
	What string
	// Open creates an empty peer in dir. An error that wraps ErrNone means that
	// it cannot run here, and gives the reason.
	Open func(dir string) (Peer, error)
}

// Kinds returns all kinds of peers: first the product, then the reference
// peers.
func Kinds() []Kind {
	return []Kind{
		seshatKind, boltKind, boltRecordKind, boltBatchKind, scsKind,
		sqliteKind, adkKind, badgerKind, pebbleKind, redisKind, limitKind,
	}
}

func encode(s *load.Session) ([]byte, error) { return msgpack.Marshal(s) }

func decode(b []byte) (*load.Session, error) {
	s := new(load.Session)
	return s, msgpack.Unmarshal(b, s)
}

// number counts the messages into their session.
func (f *Filling) number() {
	for _, m := range f.Messages {
		f.Session.Add(m)
	}
}

// locks serialize the writes of one session if a peer does not.
type locks [256]sync.Mutex

func (l *locks) lock(id string) (unlock func()) {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	m := &l[h%uint32(len(l))]
	m.Lock()
	return m.Unlock
}
