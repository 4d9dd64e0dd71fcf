package boltdriver

import "github.com/seshatdb/seshat/driver"

// erase makes all that e names invisible by one mark, however much it is. What
// is left is for commit to do once nothing can fail any more.
func (p *planner) erase(e *driver.Erasure) (commit func(), err error) {
	if e == nil {
		return func() {}, nil
	}
	s, err := p.b.namespace(e.Namespace)
	if err != nil {
		return nil, err
	}
	next := s.counters
	if e.Namespace == p.ns {
		next = p.next
	}
	next.epoch++
	if e.User == "" {
		next = counters{epoch: next.epoch}
	}
	if err := p.putErasure(*e, next.epoch); err != nil {
		return nil, err
	}
	by := driver.Erasure{Namespace: e.Namespace, User: string([]byte(e.User))}
	return func() {
		p.b.set(s, next)
		p.b.ownErased().put(by, next.epoch)
	}, nil
}

// putErasure writes the mark of an erasure. That of a namespace takes the place
// of those of its users, and what they have to report.
func (p *planner) putErasure(e driver.Erasure, epoch uint64) error {
	mark, err := p.erasure(e)
	if err != nil {
		return err
	}
	mark.epoch = epoch
	if old := p.b.erased[e.Namespace]; old != nil && e.User == "" {
		for user := range old.users {
			of := driver.Erasure{Namespace: e.Namespace, User: user}
			m, err := p.erasure(of)
			if err != nil {
				return err
			}
			mark.add(&m)
			p.addWrite(bMarks, appendErasureKey(p.scratch[:0], of), nil)
		}
	}
	p.editErasure(e, &mark)
	return nil
}

// erasure reads the mark of an erasure; a zero one if there is none.
func (p *planner) erasure(e driver.Erasure) (erasure, error) {
	p.scratch = appendErasureKey(p.scratch[:0], e)
	v := p.b.get(bMarks, p.scratch)
	if v == nil {
		return erasure{}, nil
	}
	return readErasure(p.scratch, v)
}

func (p *planner) editErasure(e driver.Erasure, m *erasure) {
	p.scratch = appendErasureKey(p.scratch[:0], e)
	p.addWrite(bMarks, p.scratch, appendErasure(p.b.arena.room(erasureSize), p.scratch, m))
}

// credit returns what the op adds to the next report on an erasure: it removed,
// or wrote over, something erased that Reclaim had not come to.
func (p *planner) credit(e driver.Erasure) *erasure {
	if p.credits[e] == nil {
		p.credits[e] = new(erasure)
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
		m.add(c)
		p.editErasure(e, &m)
	}
	clear(p.credits)
	return nil
}

// creditEntry gives credit for the stored entry at key, if that is erased.
// Those of sessions are erased with their session.
func (p *planner) creditEntry(k *driver.EntryKey, key []byte) error {
	s := p.b.erased[k.Namespace]
	if s == nil || k.Kind&driver.KindSession != 0 || p.edited(bEntries, key) {
		return nil
	}
	v := p.b.get(bEntries, key)
	if v == nil {
		return nil
	}
	e, err := readEntry(key, v)
	if err != nil || !p.b.erased.entry(k, e.epoch) {
		return err
	}
	by := driver.Erasure{Namespace: k.Namespace}
	if e.epoch >= s.epoch {
		by.User = k.Owner
	}
	p.credit(by).entries++
	return nil
}
