package memdriver_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/drivertest"
	"github.com/seshatdb/seshat/driver/memdriver"
)

var harness = drivertest.Harness{
	Open: func(t testing.TB) driver.Driver {
		d := memdriver.Open()
		t.Cleanup(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
		return d
	},
}

// TestConformance proves that the reference keeps every promise of the seam.
func TestConformance(t *testing.T) { drivertest.Run(t, harness) }

func BenchmarkDriver(b *testing.B) { drivertest.Bench(b, harness) }

// put writes c to session k.
func put(t *testing.T, d driver.Driver, k driver.Key, c driver.Change) {
	t.Helper()
	err := d.Mutate(context.Background(), &driver.Op{
		Target: driver.Target{Key: k},
		Clock:  func() int64 { return time.Now().UnixMilli() },
		Plan:   func(driver.View) (driver.Change, error) { return c, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBubble proves that the driver works under fake time: nothing of it keeps
// the clock of a bubble from going on, or a bubble from ending.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := harness.Open(t)
		k := driver.Key{Namespace: 1, ID: "a"}
		go func() {
			time.Sleep(time.Hour)
			r := driver.Record{
				Key: k, Incarnation: driver.Incarnation{1},
				Expires: time.Now().Add(time.Minute).UnixMilli(),
			}
			put(t, d, k, driver.Change{Put: &r})
		}()
		for _, want := range []error{driver.ErrNotFound, nil, driver.ErrNotFound} {
			err := d.Get(t.Context(), k, time.Now().UnixMilli(), &driver.Record{})
			if !errors.Is(err, want) {
				t.Errorf("Get at %v: %v, want %v", time.Now(), err, want)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
		}
	})
}
