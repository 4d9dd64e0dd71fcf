package boltdriver

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// Promise: a page's records are what single reads give, of whatever sizes
// their texts are and however many share memory, and what a caller does to one
// shows in no other.
func TestRecordsOfAPageAreApart(t *testing.T) {
	d := openCore(t, Options{})
	const n = 3*groupSize + 1
	var ops []*driver.Op
	for i := range n {
		r := session(1, fmt.Sprintf("%03d", i), strings.Repeat("u", i%4))
		r.Body = bytes.Repeat([]byte{byte(i)}, 1+i*37%300)
		for l := range i % 3 {
			r.Labels = append(r.Labels, driver.Label{Name: fmt.Sprint("n", l), Value: strings.Repeat("v", i%5)})
		}
		ops = append(ops, opOf(r.Key, driver.Change{Put: r}))
	}
	do(t, d, ops...)
	var into []driver.Record
	for _, limit := range []int{1, groupSize - 1, groupSize, groupSize + 1, n, 5 * n, n - 1, 2} {
		p, err := d.List(background, driver.Query{Namespace: 1, Limit: limit, Into: into})
		if err != nil || len(p.Records) != min(limit, n) {
			t.Fatalf("%d of %d records, %v", len(p.Records), limit, err)
		}
		for i := range p.Records {
			r := &p.Records[i]
			if len(r.Labels) == 0 {
				r.Labels = nil
			}
			if r.ID != fmt.Sprintf("%03d", i) || !reflect.DeepEqual(r, fresh(t, d, r.Key)) {
				t.Fatalf("record %d of %d: %+v", i, limit, r)
			}
			_ = append(append(r.Body[:0], make([]byte, len(r.Body))...), "more"...)
			_ = append(append(r.Labels[:0], make([]driver.Label, len(r.Labels))...), driver.Label{Name: "more"})
		}
		into = p.Records
	}
}

// fresh reads one record.
func fresh(t testing.TB, d *Driver, k driver.Key) *driver.Record {
	t.Helper()
	r := new(driver.Record)
	if err := d.Get(background, k, 0, r); err != nil {
		t.Fatal(err)
	}
	return r
}
