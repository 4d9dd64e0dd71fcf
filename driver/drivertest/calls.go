package drivertest

import (
	"context"
	"errors"

	"github.com/seshatdb/seshat/driver"
)

// call is one method of a driver, called on the data that furnish creates.
type call struct {
	name string
	do   func(ctx context.Context, d driver.Driver, e *env) error
}

var reads = []call{
	{"Get", func(ctx context.Context, d driver.Driver, e *env) error {
		return d.Get(ctx, key(1, "furnished"), start, &driver.Record{})
	}},
	{"List", func(ctx context.Context, d driver.Driver, e *env) error {
		_, err := d.List(ctx, driver.Query{Namespace: 1, Now: start, Limit: 1})
		return err
	}},
	{"Count", func(ctx context.Context, d driver.Driver, e *env) error {
		_, err := d.Count(ctx, driver.Query{Namespace: 1, Now: start})
		return err
	}},
	{"Messages", func(ctx context.Context, d driver.Driver, e *env) error {
		_, err := d.Messages(ctx, driver.LogQuery{Namespace: 1, Incarnation: driver.Incarnation{1}, Limit: 1})
		return err
	}},
	{"Entries", func(ctx context.Context, d driver.Driver, e *env) error {
		_, err := d.Entries(ctx, driver.EntryQuery{Namespace: 1, Kind: kindPlain, Limit: 1})
		return err
	}},
	{"Feed", func(ctx context.Context, d driver.Driver, e *env) error {
		_, err := d.Feed(ctx, driver.FeedQuery{Namespace: 1, Limit: 1})
		return err
	}},
	{"Due", func(ctx context.Context, d driver.Driver, e *env) error {
		_, err := d.Due(ctx, driver.DueQuery{Now: start, Limit: 1})
		return err
	}},
}

var writes = []call{
	{"Mutate", func(ctx context.Context, d driver.Driver, e *env) error {
		r := e.record(key(1, "not written"))
		first := e.op(r.Key, driver.Change{Put: r})
		second := e.op(r.Key, driver.Change{})
		first.Plan = func(driver.View) (driver.Change, error) {
			fail(1, "Plan ran")
			return driver.Change{}, nil
		}
		err := d.Mutate(ctx, first, second)
		if first.Err == nil || second.Err == nil {
			fail(1, "Mutate returned %v, its ops have %v and %v", err, first.Err, second.Err)
		}
		return err
	}},
	{"Reclaim", func(ctx context.Context, d driver.Driver, e *env) error {
		_, err := d.Reclaim(ctx, driver.Never, 100)
		return err
	}},
}

// expectAnswers fails unless each of the calls returns want.
func (e *env) expectAnswers(ctx context.Context, calls []call, want error) {
	for _, c := range calls {
		if err := c.do(ctx, e.d, e); !errors.Is(err, want) {
			fail(2, "%s returned %v, want %v", c.name, err, want)
		}
	}
}
