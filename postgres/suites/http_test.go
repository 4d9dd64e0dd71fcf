//go:build unix

package suites

import (
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/postgres"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/sessionhttp/httpsuite"
)

// Promise: every route of the HTTP handler answers on this driver as it does
// on a store in memory.
func TestRoutes(t *testing.T) {
	httpsuite.RunOn(t, func(t testing.TB, o ...seshat.Options) *seshattest.Store {
		t.Helper()
		d, err := newPlace(t).driver(postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return seshattest.OpenDriver(t, d, o...)
	}, nil)
}
