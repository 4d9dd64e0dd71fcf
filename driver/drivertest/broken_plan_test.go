package drivertest

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/seshatdb/seshat/driver"
)

// Each driver below breaks one promise of Mutate.

type planFunc = func(driver.View) (driver.Change, error)

// around runs ops on d, each with its plan wrapped by wrap.
func around(ctx context.Context, d driver.Driver, ops []*driver.Op, wrap func(o *driver.Op) planFunc) error {
	inner := make([]*driver.Op, len(ops))
	for i, o := range ops {
		inner[i] = &driver.Op{Target: o.Target, Clock: o.Clock}
		if o.Plan != nil {
			inner[i].Plan = wrap(o)
		}
	}
	err := d.Mutate(ctx, inner...)
	for i, o := range ops {
		o.Err = inner[i].Err
	}
	return err
}

// reckless writes the change that a failing plan returned.
type reckless struct{ driver.Driver }

func (b reckless) Mutate(ctx context.Context, ops ...*driver.Op) error {
	var failed error
	err := around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (driver.Change, error) {
			c, err := o.Plan(v)
			failed = errors.Join(failed, err)
			return c, nil
		}
	})
	return errors.Join(failed, err)
}

// careless treats a plan that panics as one that changes nothing.
type careless struct{ driver.Driver }

func (b careless) Mutate(ctx context.Context, ops ...*driver.Op) error {
	return around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (c driver.Change, err error) {
			defer func() { _ = recover() }()
			return o.Plan(v)
		}
	})
}

// timid stops a Mutate at the first op that fails.
type timid struct{ driver.Driver }

func (b timid) Mutate(ctx context.Context, ops ...*driver.Op) error {
	for i, o := range ops {
		if err := b.Driver.Mutate(ctx, o); err != nil {
			for _, rest := range ops[i:] {
				rest.Err = err
			}
			return err
		}
	}
	return b.Driver.Mutate(ctx)
}

// racing writes changes that were planned on a view that may be stale.
type racing struct{ driver.Driver }

func (b racing) Mutate(ctx context.Context, ops ...*driver.Op) error {
	changes := make(map[*driver.Op]driver.Change)
	err := around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (c driver.Change, err error) {
			seen := cloneView(&v)
			seen.Live = v.Live
			changes[o], err = o.Plan(seen)
			return driver.Change{}, err
		}
	})
	if err != nil {
		return err
	}
	return around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(driver.View) (driver.Change, error) { return changes[o], nil }
	})
}

// amnesic forgets the id of a message when the message is dropped.
type amnesic struct {
	driver.Driver
	mu      *sync.Mutex
	dropped map[driver.Incarnation][]driver.Span
}

func (b amnesic) Mutate(ctx context.Context, ops ...*driver.Op) error {
	return around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (driver.Change, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			for i := range v.Refs {
				for _, s := range b.spans(v.Record) {
					if s.From <= v.Refs[i].Seq && v.Refs[i].Seq <= s.To {
						v.Refs[i] = driver.Ref{}
					}
				}
			}
			c, err := o.Plan(v)
			if v.Record != nil && err == nil {
				b.dropped[v.Record.Incarnation] = append(b.spans(v.Record), c.Drop...)
			}
			return c, err
		}
	})
}

func (b amnesic) spans(r *driver.Record) []driver.Span {
	if r == nil {
		return nil
	}
	return b.dropped[r.Incarnation]
}

// blinkered hides earlier ops of the same Mutate from plans.
type blinkered struct{ driver.Driver }

func (b blinkered) Mutate(ctx context.Context, ops ...*driver.Op) error {
	views := make(map[*driver.Op]driver.View)
	err := around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (driver.Change, error) {
			seen := cloneView(&v)
			usage, err := driver.Usage{}, error(nil)
			if v.Live != nil {
				usage, err = v.Live()
			}
			seen.Live = func() (driver.Usage, error) { return usage, err }
			views[o] = seen
			return driver.Change{}, nil
		}
	})
	if err != nil {
		return err
	}
	return around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(driver.View) (driver.Change, error) { return o.Plan(views[o]) }
	})
}

// backwards shows plans a clock that runs backwards.
type backwards struct{ driver.Driver }

func (b backwards) Mutate(ctx context.Context, ops ...*driver.Op) error {
	return around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (driver.Change, error) {
			v.Now = o.Clock()
			return o.Plan(v)
		}
	})
}

// optimistic reports expired records as live.
type optimistic struct{ driver.Driver }

func (b optimistic) Mutate(ctx context.Context, ops ...*driver.Op) error {
	return around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (driver.Change, error) {
			v.Live = func() (driver.Usage, error) { return v.Usage, nil }
			return o.Plan(v)
		}
	})
}

// folding treats ids that differ only in case as equal.
type folding struct{ driver.Driver }

func (b folding) Mutate(ctx context.Context, ops ...*driver.Op) error {
	var folded []*driver.Op
	for _, o := range ops {
		f := *o
		f.Target.Key.ID = strings.ToLower(o.Target.Key.ID)
		folded = append(folded, &f)
	}
	err := around(ctx, b.Driver, folded, func(o *driver.Op) planFunc {
		return func(v driver.View) (driver.Change, error) {
			c, err := o.Plan(v)
			if c.Put != nil {
				c.Put.ID = strings.ToLower(c.Put.ID)
			}
			return c, err
		}
	})
	for i, f := range folded {
		ops[i].Err = f.Err
	}
	return err
}

// lazy shows erased records until they are reclaimed.
type lazy struct {
	driver.Driver
	mu   *sync.Mutex
	todo *[]driver.Change
}

func (b lazy) Mutate(ctx context.Context, ops ...*driver.Op) error {
	return around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (driver.Change, error) {
			c, err := o.Plan(v)
			if c.Erase != nil && err == nil {
				b.mu.Lock()
				*b.todo = append(*b.todo, driver.Change{Erase: c.Erase})
				b.mu.Unlock()
				c.Erase = nil
			}
			return c, err
		}
	})
}

func (b lazy) Reclaim(ctx context.Context, now int64, limit int) (driver.Reclaimed, error) {
	b.mu.Lock()
	todo := *b.todo
	*b.todo = nil
	b.mu.Unlock()
	for _, c := range todo {
		err := b.Driver.Mutate(ctx, &driver.Op{
			Clock: func() int64 { return now },
			Plan:  func(driver.View) (driver.Change, error) { return c, nil },
		})
		if err != nil {
			return driver.Reclaimed{}, err
		}
	}
	return b.Driver.Reclaim(ctx, now, limit)
}

// split accepts more than MaxOps ops and divides them between two calls.
type split struct{ driver.Driver }

func (b split) Mutate(ctx context.Context, ops ...*driver.Op) error {
	if len(ops) <= driver.MaxOps {
		return b.Driver.Mutate(ctx, ops...)
	}
	return errors.Join(b.Driver.Mutate(ctx, ops[:driver.MaxOps]...), b.Driver.Mutate(ctx, ops[driver.MaxOps:]...))
}

// keeping retains memory that belongs to the caller.
type keeping struct {
	driver.Driver
	mu   *sync.Mutex
	kept map[driver.Key]driver.Record
}

func (b keeping) Mutate(ctx context.Context, ops ...*driver.Op) error {
	return around(ctx, b.Driver, ops, func(o *driver.Op) planFunc {
		return func(v driver.View) (driver.Change, error) {
			c, err := o.Plan(v)
			if c.Put != nil && err == nil {
				b.mu.Lock()
				b.kept[o.Target.Key] = *c.Put
				b.mu.Unlock()
			}
			return c, err
		}
	})
}

func (b keeping) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	err := b.Driver.Get(ctx, k, now, into)
	b.mu.Lock()
	defer b.mu.Unlock()
	if kept := b.kept[k]; err == nil && kept.Incarnation == into.Incarnation && kept.Version == into.Version {
		into.Body = append(into.Body[:0], kept.Body...)
	}
	return err
}
