package seshat_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

var errInjected = errors.New("injected")

// nthFails fails one of its calls, counted from when it is told so.
type nthFails struct {
	*memdriver.Driver
	left atomic.Int64 // calls until the one that fails; 0 = none will
}

func (d *nthFails) fail() error {
	if d.left.Load() > 0 && d.left.Add(-1) == 0 {
		return errInjected
	}
	return nil
}

func (d *nthFails) Mutate(ctx context.Context, ops ...*driver.Op) error {
	if err := d.fail(); err != nil {
		return err
	}
	return d.Driver.Mutate(ctx, ops...)
}

func (d *nthFails) Get(ctx context.Context, k driver.Key, now int64, into *driver.Record) error {
	if err := d.fail(); err != nil {
		return err
	}
	return d.Driver.Get(ctx, k, now, into)
}

func (d *nthFails) List(ctx context.Context, q driver.Query) (driver.Page, error) {
	if err := d.fail(); err != nil {
		return driver.Page{}, err
	}
	return d.Driver.List(ctx, q)
}

func (d *nthFails) Count(ctx context.Context, q driver.Query) (driver.Usage, error) {
	if err := d.fail(); err != nil {
		return driver.Usage{}, err
	}
	return d.Driver.Count(ctx, q)
}

func (d *nthFails) Messages(ctx context.Context, q driver.LogQuery) ([]driver.Message, error) {
	if err := d.fail(); err != nil {
		return nil, err
	}
	return d.Driver.Messages(ctx, q)
}

func (d *nthFails) Entries(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error) {
	if err := d.fail(); err != nil {
		return nil, err
	}
	return d.Driver.Entries(ctx, q)
}

func (d *nthFails) Feed(ctx context.Context, q driver.FeedQuery) (driver.Feed, error) {
	if err := d.fail(); err != nil {
		return driver.Feed{}, err
	}
	return d.Driver.Feed(ctx, q)
}

func (d *nthFails) Due(ctx context.Context, q driver.DueQuery) ([]driver.Due, error) {
	if err := d.fail(); err != nil {
		return nil, err
	}
	return d.Driver.Due(ctx, q)
}

func (d *nthFails) Reclaim(ctx context.Context, now int64, limit int) (driver.Reclaimed, error) {
	if err := d.fail(); err != nil {
		return driver.Reclaimed{}, err
	}
	return d.Driver.Reclaim(ctx, now, limit)
}

// Methods that are made of several calls may have done a part. In the table those
// of a lease acquire it first, and Restore is preceded by a read: where these
// fail, the method is called all the same.
var (
	inParts = map[string]bool{
		"Store.Sweep": true, "Tenant.ApplyPolicy": true, "Tenant.DeleteUser": true, "Tenant.DeleteNamespace": true,
		"Tenant.RenewLease": true, "Tenant.ReleaseLease": true, "Tenant.Restore": true,
	}
	goesOn = map[string]bool{"Store.Authenticate": true, "Tenant.RenewLease": true, "Tenant.ReleaseLease": true, "Tenant.Restore": true}
)

// Promise: whichever call of the engine fails, the method fails with its error
// and has changed nothing.
func TestEveryCallOfTheEngineFails(t *testing.T) {
	total := 0
	for name, m := range methods {
		if m.call == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			n := int64(1)
			for failsAt(t, name, m, n) {
				n++
			}
			total += int(n - 1)
		})
	}
	if total < 60 {
		t.Errorf("only %d calls of the engine failed", total)
	}
}

// failsAt makes the method's call while call n of the engine fails, and reports
// whether there was one.
func failsAt(t *testing.T, name string, m method, n int64) bool {
	t.Helper()
	d := &nthFails{Driver: memdriver.Open()}
	s, err := seshat.OpenDriver(d, seshat.Options{Now: seshattest.NewClock().Now, SweepEvery: seshat.Never})
	must(t, err)
	defer s.Close()
	w := newWorldOn(t, s)
	before := w.digest(t)
	d.left.Store(n)
	err = m.call(w, t.Context(), "s")
	if d.left.Swap(0) > 0 {
		if !errors.Is(err, errors.ErrUnsupported) {
			must(t, err)
		}
		return false
	}
	if !errors.Is(err, errInjected) && !goesOn[name] {
		t.Errorf("call %d failed: got error %v, want the engine's", n, err)
	}
	if !inParts[name] {
		if after := w.digest(t); after != before {
			t.Errorf("call %d failed, and the store changed from\n%s\nto\n%s", n, before, after)
		}
	}
	return true
}
