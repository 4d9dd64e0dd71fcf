package boltdriver

import (
	"fmt"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/drivertest"
)

// BenchmarkDriver is the suite's own set, comparable between drivers.
func BenchmarkDriver(b *testing.B) { drivertest.Bench(b, harness(Options{})) }

// BenchmarkPlan is the writer's own work on an op that touches one of 1,000
// sessions and appends a message, without the commit.
func BenchmarkPlan(b *testing.B) {
	d := openCore(b, Options{})
	var ops []*driver.Op
	for i := range 500 {
		r := session(1, fmt.Sprint(i), "mia")
		r.Body = make([]byte, 700)
		ops = append(ops, opOf(r.Key, driver.Change{Put: r}))
	}
	do(b, d, ops...)
	body := make([]byte, 500)
	w := newWriter(d, nil)
	if err := w.open(); err != nil {
		b.Fatal(err)
	}
	defer w.discard()
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		id := fmt.Sprint(n)
		if n++; n%500 == 0 {
			w.discard()
			if err := w.open(); err != nil {
				b.Fatal(err)
			}
			n = 0
		}
		op := opPlan(driver.Target{Key: driver.Key{Namespace: 1, ID: id}}, func(v driver.View) (driver.Change, error) {
			r := *v.Record
			r.NextSeq++
			return driver.Change{Put: &r, Append: []driver.Message{{Seq: v.Record.NextSeq, ID: "m", Body: body}}}, nil
		})
		if err := w.plan(background, op); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGet reads one of 10,000 sessions of 700 bytes.
func BenchmarkGet(b *testing.B) {
	d := openCore(b, Options{})
	for from := 0; from < 10_000; from += 500 {
		var ops []*driver.Op
		for i := range 500 {
			r := session(1, fmt.Sprint(from+i), "mia")
			r.Body = make([]byte, 700)
			ops = append(ops, opOf(r.Key, driver.Change{Put: r}))
		}
		do(b, d, ops...)
	}
	var into driver.Record
	k := driver.Key{Namespace: 1, ID: "4711"}
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Get(background, k, 0, &into); err != nil {
			b.Fatal(err)
		}
	}
}
