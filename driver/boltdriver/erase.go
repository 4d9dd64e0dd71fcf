package boltdriver

import (
	"github.com/seshatdb/seshat/driver"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// erase makes all data that e names invisible with one mark. The returned
// commit changes the counters in memory; call it when no later step can fail.
func (p *planner) erase(e *driver.Erasure) (commit func(), err error) {
	if e == nil {
		return func() {}, nil
	}
	s, err := p.b.namespace(e.Namespace)
	if err != nil {
		return nil, err
	}
	next := s.Counters
	if e.Namespace == p.ns {
		next = p.next
	}
	next.Epoch++
	if e.UserID == "" {
		next = format.Counters{Epoch: next.Epoch}
	}
	if err := p.putErasure(*e, next.Epoch); err != nil {
		return nil, err
	}
	by := driver.Erasure{Namespace: e.Namespace, UserID: string([]byte(e.UserID))}
	return func() {
		p.b.set(s, next)
		p.b.ownErased().Add(by, next.Epoch)
	}, nil
}

// putErasure writes the mark of an erasure. The mark of a namespace replaces
// the marks of its users, and takes over their counts.
func (p *planner) putErasure(e driver.Erasure, epoch uint64) error {
	mark, err := p.erasure(e)
	if err != nil {
		return err
	}
	mark.Epoch = epoch
	if old := p.b.erased[e.Namespace]; old != nil && e.UserID == "" {
		for user := range old.Users {
			of := driver.Erasure{Namespace: e.Namespace, UserID: user}
			m, err := p.erasure(of)
			if err != nil {
				return err
			}
			mark.Add(&m)
			p.addWrite(format.Marks, format.AppendErasureKey(p.scratch[:0], of), nil)
		}
	}
	p.editErasure(e, &mark)
	return nil
}

// erasure reads the mark of an erasure. Without a mark it returns a zero one.
func (p *planner) erasure(e driver.Erasure) (format.ErasureMark, error) {
	p.scratch = format.AppendErasureKey(p.scratch[:0], e)
	v := p.b.get(format.Marks, p.scratch)
	if v == nil {
		return format.ErasureMark{}, nil
	}
	return format.ReadErasure(p.scratch, v)
}

func (p *planner) editErasure(e driver.Erasure, m *format.ErasureMark) {
	p.scratch = format.AppendErasureKey(p.scratch[:0], e)
	p.addWrite(format.Marks, p.scratch, format.AppendErasure(p.b.arena.Room(format.ErasureSize), p.scratch, m))
}

// credit returns the counts that the op adds to the next report on an erasure:
// erased data that the op removed or overwrote before Reclaim did.
func (p *planner) credit(e driver.Erasure) *format.ErasureMark {
	if p.credits[e] == nil {
		p.credits[e] = new(format.ErasureMark)
	}
	return p.credits[e]
}

// putCredits writes all credits of the op into their marks.
func (p *planner) putCredits() error {
	for e, c := range p.credits {
		m, err := p.erasure(e)
		if err != nil {
			return err
		}
		m.Add(c)
		p.editErasure(e, &m)
	}
	clear(p.credits)
	return nil
}

// creditEntry counts the stored entry at key, if it is erased. It skips entries
// of sessions, which are erased with their session.
func (p *planner) creditEntry(k *driver.EntryKey, key []byte) error {
	s := p.b.erased[k.Namespace]
	if s == nil || k.Kind&driver.KindSession != 0 || p.edited(format.Entries, key) {
		return nil
	}
	v := p.b.get(format.Entries, key)
	if v == nil {
		return nil
	}
	e, err := format.ReadEntry(key, v)
	if err != nil || !p.b.erased.CoversEntry(k, e.Epoch) {
		return err
	}
	by := driver.Erasure{Namespace: k.Namespace}
	if e.Epoch >= s.Epoch {
		by.UserID = k.Owner
	}
	p.credit(by).Entries++
	return nil
}
