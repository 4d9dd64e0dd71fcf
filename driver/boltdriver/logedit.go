package boltdriver

import (
	"bytes"
	"fmt"
	"math"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

const (
	// maxInline is the most keys that one op removes itself of a log or a feed.
	// What is more becomes invisible by a mark and is left to Reclaim.
	maxInline = 64
	unlimited = math.MaxInt
)

func (p *planner) changeLog(c *driver.Change) error {
	if c.Stage != (driver.Incarnation{}) {
		if err := p.stage(c); err != nil {
			return err
		}
	}
	if len(c.Drop)+len(c.Replace)+len(c.Append) == 0 {
		return nil
	}
	inc := p.owner(c)
	for _, s := range c.Drop {
		if err := p.drop(c, inc, s); err != nil {
			return err
		}
	}
	if err := p.replace(inc, c.Replace); err != nil {
		return err
	}
	for i := range c.Append {
		m := &c.Append[i]
		p.putMessage(inc, m)
		p.scratch = format.AppendMessageIDKey(p.scratch[:0], p.ns, inc, m.ID)
		p.addWrite(format.IDs, p.scratch, format.AppendMessageID(p.b.arena.Room(format.MessageIDSize), p.scratch, m))
	}
	return nil
}

func (p *planner) putMessage(inc driver.Incarnation, m *driver.Message) {
	p.scratch = format.AppendMessageKey(p.scratch[:0], p.ns, inc, m.Seq)
	p.addWrite(format.Log, p.scratch, format.AppendMessage(p.b.arena.Room(format.MessageSize(m)), p.scratch, m))
}

// replace gives stored messages another body.
func (p *planner) replace(inc driver.Incarnation, ms []driver.Message) error {
	if len(ms) == 0 {
		return nil
	}
	if err := p.b.flush(format.Marks); err != nil {
		return err
	}
	holes := p.b.view.holes(p.ns, inc)
	for i := range ms {
		m, err := p.message(inc, ms[i].Seq, holes)
		if err != nil {
			return err
		}
		if m.Seq == 0 {
			return fmt.Errorf("message %d: %w", ms[i].Seq, driver.ErrNotFound)
		}
		m.Body = ms[i].Body
		p.putMessage(inc, &m)
	}
	return nil
}

// drop removes the messages of a span: the first of them at once, the others
// by a mark. Numbers that are yet to be given are not in it.
func (p *planner) drop(c *driver.Change, inc driver.Incarnation, s driver.Span) error {
	next := p.current.head.NextSeq
	if c.Put != nil {
		next = c.Put.NextSeq
	}
	if s.To = min(s.To, next-1); next == 0 || s.From > s.To {
		return nil
	}
	if err := p.b.flush(format.Log, format.Marks); err != nil {
		return err
	}
	scan := logScan{view: &p.b.view, ns: p.ns, inc: inc, span: s, holes: p.b.view.holes(p.ns, inc)}
	n := 0
	for k, _ := scan.first(); k != nil; k, _ = scan.next() {
		if n++; n > p.b.inline {
			s.From = seqOf(k)
			p.scratch = format.AppendHoleKey(p.scratch[:0], p.ns, inc, s)
			p.addWrite(format.Marks, p.scratch, format.AppendBare(p.b.arena.Room(format.BareSize), p.scratch))
			return nil
		}
		p.addWrite(format.Log, k, nil)
	}
	return nil
}

// attachStaged prepares the log that a new record is to have: it is empty,
// unless it was staged.
func (p *planner) attachStaged(c *driver.Change) error {
	inc := c.Put.Incarnation
	mark, err := p.unstage(inc)
	if err != nil || mark == nil {
		return err
	}
	p.addWrite(format.Marks, mark, nil)
	return p.follows(inc, c.Append)
}

// stage begins or goes on with a log that no record has yet.
func (p *planner) stage(c *driver.Change) error {
	mark, err := p.unstage(c.Stage)
	if err != nil {
		return err
	}
	if mark == nil {
		if used, err := p.inUse(c.Stage); err != nil || used {
			return errOr(err, "Stage names a log in use")
		}
		mark = format.AppendLogMarkKey(nil, format.StagedLog, p.ns, c.Stage)
	}
	staged := format.StagedMark{Until: c.StageUntil, Epoch: p.next.Epoch}
	v := format.AppendStaged(p.b.arena.Room(format.StagedSize), mark, staged)
	p.addWrite(format.Marks, mark, v)
	return p.follows(c.Stage, c.Append)
}

func errOr(err error, invalid string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", driver.ErrInvalid, invalid)
}

// unstage returns the key of the log's mark if it is staged. What is left of an
// earlier life of the incarnation is removed: it is dead, or was erased.
func (p *planner) unstage(inc driver.Incarnation) (mark []byte, err error) {
	key := format.AppendLogMarkKey(nil, format.StagedLog, p.ns, inc)
	if v := p.b.get(format.Marks, key); v != nil {
		s, err := format.ReadStaged(key, v)
		if err != nil || !p.b.erased.CoversLog(p.ns, s.Epoch) {
			return key, err
		}
		p.addWrite(format.Marks, key, nil)
	} else if key[0] = format.DeadLog; p.b.get(format.Marks, key) == nil {
		return nil, nil
	}
	p.addWrite(format.Marks, key, nil)
	_, err = p.deleteOwned(inc, unlimited, format.DeadMark{})
	return nil, err
}

// inUse reports whether a log that is not staged belongs to this incarnation.
func (p *planner) inUse(inc driver.Incarnation) (bool, error) {
	if err := p.b.flush(format.Log, format.IDs, format.Owners); err != nil {
		return false, err
	}
	if p.b.view.owner(p.ns, inc) != nil {
		return true, nil
	}
	p.scratch = format.AppendLogPrefix(p.scratch[:0], p.ns, inc)
	for _, in := range []format.Bucket{format.Log, format.IDs} {
		if k, _ := p.b.cursorFor(in).Seek(p.scratch); bytes.HasPrefix(k, p.scratch) && !p.edited(in, k) {
			return true, nil
		}
	}
	return false, nil
}

// edited reports whether the op itself puts or deletes the key.
func (p *planner) edited(in format.Bucket, k []byte) bool {
	for _, e := range p.edits {
		if e.in == in && bytes.Equal(e.key, k) {
			return true
		}
	}
	return false
}

// follows checks that ms come after all that a staged log holds.
func (p *planner) follows(inc driver.Incarnation, ms []driver.Message) error {
	if len(ms) == 0 {
		return nil
	}
	if err := p.b.flush(format.Log); err != nil {
		return err
	}
	p.scratch = format.AppendMessageKey(p.scratch[:0], p.ns, inc, ms[0].Seq)
	k, _ := p.b.cursorFor(format.Log).Seek(p.scratch)
	if bytes.HasPrefix(k, p.scratch[:format.LogPrefixLen]) {
		return fmt.Errorf("%w: Append holds a number that is not new", driver.ErrInvalid)
	}
	return nil
}

// deleteOwned removes all that an incarnation owns: at once if that is at most
// limit keys, else by a mark. It returns how many entries it removed at once.
func (p *planner) deleteOwned(inc driver.Incarnation, limit int, d format.DeadMark) (entries int, err error) {
	if err := p.b.flush(format.Log, format.IDs, format.Entries, format.Marks); err != nil {
		return 0, err
	}
	before := len(p.edits)
	whole := p.b.view.eachOwnedKey(p.ns, inc, func(in format.Bucket, k []byte) bool {
		p.addWrite(in, k, nil)
		if in == format.Entries {
			entries++
		}
		return len(p.edits)-before <= limit
	})
	if whole {
		return entries, nil
	}
	p.edits = p.edits[:before]
	key := format.AppendLogMarkKey(nil, format.DeadLog, p.ns, inc)
	p.addWrite(format.Marks, key, format.AppendDead(p.b.arena.Room(format.DeadSize(d)), key, d))
	return 0, nil
}
