package seshat

import (
	"context"
	"errors"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// A log that comes from elsewhere is staged: written in bounded steps under an
// incarnation that no session has yet, and made visible, whole, by the write
// that creates the session. One that is given up is reclaimed later.
type stagedLog struct {
	t           *Tenant
	incarnation driver.Incarnation
	batch       []driver.Message
	size        int

	safeUntil int64  // before then none of it is reclaimed; 0 = nothing is staged
	last      uint64 // highest number staged
	messages  uint64
	bytes     uint64
}

const (
	// stageFor is how long a staged log waits for its session, or for more of
	// itself. It is trusted for half of that: the clocks of processes that share
	// the data differ.
	stageFor = time.Hour

	// stageStep and stageBytes bound one step.
	stageStep  = 128
	stageBytes = 1 << 20
)

func (t *Tenant) newStage() *stagedLog {
	return &stagedLog{t: t, incarnation: driver.Incarnation(newULID(t.store.clock.Read()))}
}

// add stages one message, whose memory it keeps until the next flush. Numbers
// must ascend.
func (g *stagedLog) add(ctx context.Context, m driver.Message) error {
	g.batch = append(g.batch, m)
	g.size += len(m.Body)
	g.last = m.Seq
	g.messages++
	g.bytes += uint64(len(m.Body))
	if len(g.batch) < stageStep && g.size < stageBytes {
		return nil
	}
	return g.flush(ctx)
}

// flush writes what was added since the last flush.
func (g *stagedLog) flush(ctx context.Context) error {
	if len(g.batch) == 0 {
		return nil
	}
	target := driver.Target{
		Key:     driver.Key{Namespace: g.t.ordinal},
		Entries: []driver.EntryKey{namespaceKey(g.t.id)},
		Usage:   g.t.cache.Load().ns.Quotas != NamespaceQuotas{},
	}
	err := g.t.store.mutate(ctx, target, func(v driver.View) (driver.Change, error) {
		if err := g.checkRoom(&v); err != nil {
			return driver.Change{}, err
		}
		return driver.Change{Stage: g.incarnation, StageUntil: v.Now + stageFor.Milliseconds(), Append: g.batch}, nil
	})
	g.batch, g.size = nil, 0
	return err
}

// checkRoom refuses to stage more of what can be no session: ErrConflict where what
// is staged may be reclaimed, ErrQuota where the namespace has no room for it.
func (g *stagedLog) checkRoom(v *driver.View) error {
	ns, err := g.t.cachedNamespace(v.Entries[0])
	if err == nil && g.mayBeReclaimed(v.Now) {
		err = ErrConflict
	}
	if err == nil {
		err = ns.checkQuota(v, 1, g.messages, g.bytes)
	}
	if err != nil && err != errNeedUsage { // the last write needs it
		return err
	}
	g.safeUntil = v.Now + stageFor.Milliseconds()/2
	return nil
}

// mayBeReclaimed reports whether some of what was staged may be gone at now.
func (g *stagedLog) mayBeReclaimed(now int64) bool { return g.safeUntil != 0 && now >= g.safeUntil }

// checkIDAvailable refuses an id that is taken, before a log is staged for nothing.
// ErrExists.
func (t *Tenant) checkIDAvailable(ctx context.Context, id string) error {
	_, err := t.Get(ctx, id)
	switch {
	case err == nil:
		return ErrExists
	case errors.Is(err, ErrNotFound):
		return nil
	}
	return unwrapError(err)
}

// attachTo gives the staged log to s, which is about to be created.
func (g *stagedLog) attachTo(s *storedSession) {
	s.incarnation = g.incarnation
	s.LastSeq = max(s.LastSeq, g.last)
	s.MessageCount = g.messages
	s.bytes = g.bytes
}
