package memdriver_test

import (
	"testing"

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
