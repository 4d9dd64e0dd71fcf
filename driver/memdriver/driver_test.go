package memdriver_test

import (
	"context"
	"errors"
	"strings"
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
			r := driver.Record{Key: k, Incarnation: driver.Incarnation{1}, Expires: time.Now().Add(time.Minute).UnixMilli()}
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

// TestCheckFinds proves that Check compares what a record says with its log,
// hands everything to the visitor, and stops at its limit.
func TestCheckFinds(t *testing.T) {
	d := harness.Open(t).(*memdriver.Driver)
	errBody := errors.New("a body that the store cannot read")
	for _, id := range []string{"a", "b"} {
		k := driver.Key{Namespace: 1, ID: id}
		r := &driver.Record{Key: k, Incarnation: driver.Incarnation{id[0]}, NextSeq: 2, Messages: 7, Body: []byte("x"), Bytes: 1}
		entry := driver.Entry{EntryKey: driver.EntryKey{Namespace: 1, Kind: driver.KindSession, Name: "n"}, Value: []byte("v")}
		put(t, d, k, driver.Change{
			Put: r, Append: []driver.Message{{Seq: 1, ID: "m"}}, Entries: []driver.Entry{entry}, Events: make([]driver.Event, 1),
		})
	}
	visit := driver.Visitor{
		Record:  func(*driver.Record) error { return errBody },
		Message: func(driver.Key, *driver.Message) error { return errBody },
		Entry:   func(*driver.Entry) error { return errBody },
	}
	got, err := d.Check(t.Context(), 100, visit)
	if err != nil {
		t.Fatal(err)
	}
	if got.Records != 2 || got.Messages != 2 || got.Entries != 2 || got.Events != 2 || len(got.Findings) != 8 {
		t.Errorf("Check = %+v", got)
	}
	for _, f := range got.Findings {
		if !strings.Contains(f.Where, `1/"a"`) && !strings.Contains(f.Where, `1/"b"`) {
			t.Errorf("a finding at %s", f.Where)
		}
	}
	if got, err = d.Check(t.Context(), 3, visit); err != nil || len(got.Findings) != 3 {
		t.Errorf("Check to a limit of 3: %d findings, %v", len(got.Findings), err)
	}
}
