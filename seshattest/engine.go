package seshattest

import (
	"context"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/driver/memdriver"
)

// faultDriver is a driver whose calls fail with the planned faults.
type faultDriver struct {
	driver.Driver
	faults *faults
}

// memoryEngine is a memdriver with faults and all its optional interfaces.
type memoryEngine struct {
	faultDriver
	driver.Checker
	driver.Dumper
	driver.Loader
}

func newMemoryEngine(d *memdriver.Driver, f *faults) memoryEngine {
	return memoryEngine{faultDriver{d, f}, d, d, d}
}

// fileEngine is a boltdriver with faults and all its optional interfaces.
type fileEngine struct {
	faultDriver
	driver.Checker
	driver.Dumper
	driver.Loader
	driver.Backuper
	driver.Compacter
	driver.Statser
}

func newFileEngine(d *boltdriver.Driver, f *faults) fileEngine {
	return fileEngine{faultDriver{d, f}, d, d, d, d, d, d}
}

func (d faultDriver) Mutate(ctx context.Context, ops ...*driver.Op) error {
	met, ok := d.faults.next(ctx, true)
	if !ok {
		return d.Driver.Mutate(ctx, ops...)
	}
	if met.Lost {
		if err := d.Driver.Mutate(ctx, ops...); err != nil {
			return err // the write failed by itself, so its answer is not lost
		}
	}
	for _, op := range ops {
		op.Err = met.Err
	}
	return met.Err
}

func (d faultDriver) Reclaim(ctx context.Context, now int64, limit int) (driver.Reclaimed, error) {
	met, ok := d.faults.next(ctx, true)
	if !ok {
		return d.Driver.Reclaim(ctx, now, limit)
	}
	if met.Lost {
		if _, err := d.Driver.Reclaim(ctx, now, limit); err != nil {
			return driver.Reclaimed{}, err
		}
	}
	return driver.Reclaimed{}, met.Err
}

func (d faultDriver) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	if err := d.faults.read(ctx); err != nil {
		return err
	}
	return d.Driver.Get(ctx, k, now, into)
}

func (d faultDriver) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	return orFault(ctx, d, d.Driver.List, q)
}

func (d faultDriver) Count(ctx context.Context, q driver.Query) (driver.Usage, error) {
	return orFault(ctx, d, d.Driver.Count, q)
}

func (d faultDriver) Messages(ctx context.Context, q driver.LogQuery) ([]driver.Message, error) {
	return orFault(ctx, d, d.Driver.Messages, q)
}

func (d faultDriver) Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error) {
	return orFault(ctx, d, d.Driver.Entries, q)
}

func (d faultDriver) Feed(ctx context.Context, q driver.FeedQuery) (driver.Feed, error) {
	return orFault(ctx, d, d.Driver.Feed, q)
}

func (d faultDriver) Due(ctx context.Context, q driver.DueQuery) ([]driver.Due, error) {
	return orFault(ctx, d, d.Driver.Due, q)
}

// orFault calls read unless a fault is planned for it.
func orFault[Q, R any](ctx context.Context, d faultDriver, read func(context.Context, Q) (R, error), q Q) (R, error) {
	if err := d.faults.read(ctx); err != nil {
		var none R
		return none, err
	}
	return read(ctx, q)
}
