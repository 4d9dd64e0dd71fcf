//go:build !race

package boltdriver

import (
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// A Get into a record that was used before allocates nothing.
func TestGetAllocatesNothing(t *testing.T) {
	d := openCore(t, Options{})
	r := session(1, "a", "mia")
	r.Labels = []driver.Label{{Name: "a", Value: "b"}}
	do(t, d, opOf(r.Key, driver.Change{Put: r}))
	var into driver.Record
	get := func() {
		if err := d.Get(background, r.Key, 0, &into); err != nil {
			t.Fatal(err)
		}
	}
	get()
	if n := testing.AllocsPerRun(200, get); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}
