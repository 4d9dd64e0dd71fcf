package boltdriver

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	bolt "go.etcd.io/bbolt"
)

// snapshot is a read transaction on a durable state of the file, shared by all
// readers until the next commit. Each reader has cursors of its own. Nothing
// that can wait (user code, a channel, a network) runs while one is held.
type snapshot struct {
	view
	tx     *bolt.Tx
	commit int64 // number of the commit that made this state: see durableMark

	refs   atomic.Int64  // the driver holds one reference until it retires the snapshot
	gone   chan struct{} // closed when the last reference is dropped
	own    bool          // made for one reader, which holds Driver.life
	getter sync.Pool     // *getBuffers
}

// getBuffers are the reusable buffers of a Get.
type getBuffers struct {
	cursor
	key  []byte
	head format.RecordHeader
}

func (d *Driver) newSnapshot(f *dbfile.File, erased format.PendingErasures) (*snapshot, error) {
	tx, err := f.DB.Begin(false)
	if err != nil {
		return nil, err
	}
	s := &snapshot{tx: tx, commit: int64(tx.ID()) - d.origin, view: newView(tx, d.reads), gone: make(chan struct{})}
	s.erased = erased
	s.refs.Store(1)
	s.getter.New = func() any { return &getBuffers{cursor: s.cursor(format.Records)} }
	return s, nil
}

// hold takes a reference, unless the snapshot is gone already.
func (s *snapshot) hold() bool {
	for n := s.refs.Load(); n > 0; n = s.refs.Load() {
		if s.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

// drop gives a reference back. The last one ends the transaction.
func (s *snapshot) drop() {
	if s.refs.Add(-1) == 0 {
		_ = s.tx.Rollback()
		close(s.gone)
	}
}

// snapshot returns the newest durable state for reading. The caller gives it
// back with release.
func (d *Driver) snapshot() (*snapshot, error) {
	for {
		s := d.current.Load()
		if s == nil {
			return d.ownSnapshot()
		}
		if s.hold() {
			return s, nil
		}
	}
}

func (d *Driver) release(s *snapshot) {
	s.drop()
	if s.own {
		d.life.RUnlock()
	}
}

// ownSnapshot makes a snapshot for one reader. It is used while the driver has
// none to share, because the platform has no large map or the next commit may
// move the map. The engine shows a commit before it is durable; ownSnapshot
// waits until it is durable.
func (d *Driver) ownSnapshot() (*snapshot, error) {
	d.life.RLock()
	s, err := d.durableSnapshot()
	if err != nil {
		d.life.RUnlock()
		return nil, err
	}
	s.own = true
	return s, nil
}

func (d *Driver) durableSnapshot() (*snapshot, error) {
	if d.closed.Load() {
		return nil, driver.ErrClosed
	}
	for {
		s, err := d.newSnapshot(d.file, nil)
		if err != nil {
			return nil, err
		}
		if d.durable.reached(s.commit) {
			return s, d.loadErased(s)
		}
		s.drop()
		if err := d.durable.wait(s.commit); err != nil {
			return nil, err
		}
	}
}

// loadErased loads the pending erasures of a snapshot that the writer did not
// make. On an error it drops the snapshot.
func (d *Driver) loadErased(s *snapshot) (err error) {
	marks := s.cursor(format.Marks)
	if s.erased, err = format.LoadErasures(&marks); err != nil {
		s.drop()
	}
	return err
}

// publishSnapshot makes the newest committed state the shared snapshot.
func (d *Driver) publishSnapshot(erased format.PendingErasures) {
	if !d.sharing {
		return
	}
	s, err := d.newSnapshot(d.file, erased)
	if err != nil {
		s = nil // readers make snapshots of their own
	}
	if old := d.current.Swap(s); old != nil {
		old.drop()
	}
}

// retireSnapshot retires the shared snapshot and waits until no reader holds
// it.
func (d *Driver) retireSnapshot() {
	if old := d.current.Swap(nil); old != nil {
		old.drop()
		<-old.gone
	}
}

// durableMark counts the durable commits since the file was opened. It does not
// use the engine's transaction numbers: they begin anew when a file is
// compacted, and do not tell whether a journal is durable. Driver.origin
// relates the two.
type durableMark struct {
	commits atomic.Int64
	mu      sync.Mutex
	cond    *sync.Cond
	err     error // no later commit will be durable
}

func newDurableMark() *durableMark {
	b := &durableMark{}
	b.cond = sync.NewCond(&b.mu)
	return b
}

func (b *durableMark) reached(commit int64) bool { return commit <= b.commits.Load() }

// advance counts one more durable commit.
func (b *durableMark) advance() {
	b.mu.Lock()
	b.commits.Add(1)
	b.mu.Unlock()
	b.cond.Broadcast()
}

func (b *durableMark) fail(err error) {
	b.mu.Lock()
	b.err = err
	b.mu.Unlock()
	b.cond.Broadcast()
}

// wait returns once the commit is durable, or an error if it never will be.
func (b *durableMark) wait(commit int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.reached(commit) {
		if b.err != nil {
			return errors.Join(driver.ErrFailed, b.err)
		}
		b.cond.Wait()
	}
	return nil
}
