package drivertest

import (
	"context"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
)

// Each driver below breaks one promise of Dump or Load.

// refless omits the ids of dropped messages from the dump.
type refless struct{ *memdriver.Driver }

func (b refless) Dump(ctx context.Context, after *driver.Place, fn func(*driver.Part) error) error {
	return b.Driver.Dump(ctx, after, func(p *driver.Part) error {
		if p.Kind == driver.PartRef {
			return nil
		}
		return fn(p)
	})
}

// including starts a dump at the given place instead of after it.
type including struct{ *memdriver.Driver }

func (b including) Dump(ctx context.Context, after *driver.Place, fn func(*driver.Part) error) error {
	return b.Driver.Dump(ctx, nil, func(p *driver.Part) error {
		if after != nil && p.Place().Compare(*after) < 0 {
			return nil
		}
		return fn(p)
	})
}

// swallowing hides the error that ended a dump.
type swallowing struct{ *memdriver.Driver }

func (b swallowing) Dump(ctx context.Context, after *driver.Place, fn func(*driver.Part) error) error {
	_ = b.Driver.Dump(ctx, after, fn)
	return ctx.Err()
}

// restarting does not load feeds, so their positions start anew.
type restarting struct{ *memdriver.Driver }

func (b restarting) Load(ctx context.Context, l driver.Load) error {
	var kept []driver.Part
	for _, p := range l.Parts {
		if p.Kind != driver.PartFeed && p.Kind != driver.PartEvent {
			kept = append(kept, p)
		}
	}
	l.Parts = kept
	return b.Driver.Load(ctx, l)
}

// noteless loads parts even if the expected note is wrong.
type noteless struct{ *memdriver.Driver }

func (b noteless) Load(ctx context.Context, l driver.Load) error {
	found, err := b.Entries(ctx, driver.EntryQuery{Kind: driver.KindLoad, Limit: 1})
	if err == nil && len(found) > 0 {
		l.Was = found[0].Value
	}
	return b.Driver.Load(ctx, l)
}

// halfway loads the parts that precede an invalid one.
type halfway struct{ *memdriver.Driver }

func (b halfway) Load(ctx context.Context, l driver.Load) error {
	for i := range l.Parts {
		if err := (&driver.Load{Parts: l.Parts[:i+1]}).Validate(b.Caps()); err != nil {
			l.Parts = l.Parts[:i]
			if loaded := b.Driver.Load(ctx, l); loaded != nil {
				return loaded
			}
			return err
		}
	}
	return b.Driver.Load(ctx, l)
}
