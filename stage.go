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
type stage struct {
	t     *Tenant
	inc   driver.Incarnation
	batch []driver.Message
	size  int

	until    int64  // before then none of it is reclaimed; 0 = nothing is staged
	last     uint64 // highest number staged
	messages uint64
	bytes    uint64
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

func (t *Tenant) newStage() *stage {
	return &stage{t: t, inc: driver.Incarnation(newULID(t.s.clock.Read()))}
}

// add stages one message, whose memory it keeps until the next flush. Numbers
// must ascend.
func (g *stage) add(ctx context.Context, m driver.Message) error {
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
func (g *stage) flush(ctx context.Context) error {
	if len(g.batch) == 0 {
		return nil
	}
	target := driver.Target{
		Key:     driver.Key{Namespace: g.t.ord},
		Entries: []driver.EntryKey{namespaceKey(g.t.id)},
		Usage:   g.t.last.Load().ns.Quotas != NamespaceQuotas{},
	}
	err := g.t.s.mutate(ctx, target, func(v driver.View) (driver.Change, error) {
		if err := g.admit(&v); err != nil {
			return driver.Change{}, err
		}
		return driver.Change{Stage: g.inc, StageUntil: v.Now + stageFor.Milliseconds(), Append: g.batch}, nil
	})
	g.batch, g.size = nil, 0
	return err
}

// admit refuses to stage more of what can be no session: ErrConflict where what
// is staged may be reclaimed, ErrQuota where the namespace has no room for it.
func (g *stage) admit(v *driver.View) error {
	ns, err := g.t.decode(v.Entries[0])
	if err == nil && g.stale(v.Now) {
		err = ErrConflict
	}
	if err == nil {
		err = ns.admit(v, 1, g.messages, g.bytes)
	}
	if err != nil && err != errNeedUsage { // the last write needs it
		return err
	}
	g.until = v.Now + stageFor.Milliseconds()/2
	return nil
}

// stale reports whether some of what was staged may be gone at now.
func (g *stage) stale(now int64) bool { return g.until != 0 && now >= g.until }

// free refuses an id that is taken, before a log is staged for nothing.
// ErrExists.
func (t *Tenant) free(ctx context.Context, id string) error {
	_, err := t.Get(ctx, id)
	switch {
	case err == nil:
		return ErrExists
	case errors.Is(err, ErrNotFound):
		return nil
	}
	return cause(err)
}

// adopt gives the staged log to s, which is about to be created.
func (g *stage) adopt(s *stored) {
	s.incarnation = g.inc
	s.LastSeq = max(s.LastSeq, g.last)
	s.MessageCount = g.messages
	s.bytes = g.bytes
}
