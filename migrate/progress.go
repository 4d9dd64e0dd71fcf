package migrate

import (
	"context"
	"errors"

	"github.com/seshatdb/seshat/driver"
)

func (m *mover) progress(s Stage, done Sums) {
	if m.o.Progress != nil {
		m.o.Progress(Progress{Stage: s, Done: done, Total: m.total})
	}
}

var errEnough = errors.New("enough")

// measure reads the source's counters if Progress is wanted. Every namespace
// that ever had a session has a feed.
func (m *mover) measure(ctx context.Context) error {
	if m.o.Progress == nil {
		return nil
	}
	var spaces []uint64
	err := m.source.Dump(ctx, nil, func(p *driver.Part) error {
		if p.Kind > driver.PartFeed {
			return errEnough
		}
		spaces = append(spaces, p.Namespace)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	for _, n := range spaces {
		u, err := m.from.Count(ctx, driver.Query{Namespace: n, Now: -1})
		if err != nil {
			return err
		}
		m.total.Sessions += u.Total()
		m.total.Messages += u.Messages
		m.total.Bytes += u.Bytes
	}
	return nil
}
