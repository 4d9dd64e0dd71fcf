package boltdriver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/drivertest"
)

// harness opens stores in directories of their own.
func harness(o Options) drivertest.Harness {
	reopen := func(t testing.TB, d driver.Driver, o Options) driver.Driver {
		t.Helper()
		path := d.(*Driver).file.Path
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		return opened(t, path, o)
	}
	return drivertest.Harness{
		Open: func(t testing.TB) driver.Driver {
			return opened(t, filepath.Join(t.TempDir(), "store.db"), o)
		},
		Reopen: func(t testing.TB, d driver.Driver) driver.Driver { return reopen(t, d, o) },
		ReadOnly: func(t testing.TB, d driver.Driver) driver.Driver {
			return reopen(t, d, Options{ReadOnly: true})
		},
	}
}

func opened(t testing.TB, path string, o Options) *Driver {
	t.Helper()
	d, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// The driver keeps the promises of package driver.
func TestConformance(t *testing.T) {
	t.Run("shared snapshots", func(t *testing.T) { drivertest.Run(t, harness(Options{})) })
	t.Run("all by marks, in a map that moves", func(t *testing.T) {
		drivertest.Run(t, harness(Options{
			hooks: dbfile.Hooks{NoBigMap: true},
			core:  coreHooks{share: true, headroom: 256 << 10, inline: 1, patience: 20 * time.Millisecond},
		}))
	})
	t.Run("own snapshots", func(t *testing.T) {
		if testing.Short() {
			t.Skip("the same again, slower")
		}
		drivertest.Run(t, harness(Options{hooks: dbfile.Hooks{NoBigMap: true}}))
	})
}
