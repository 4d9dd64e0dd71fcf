//go:build unix

package suites

import (
	"sync"
	"testing"

	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/sessiontestsuite"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/adk/adktest"
	"github.com/seshatdb/seshat/seshattest"
)

// services remembers the stores of ADK's services, and where they are.
type services struct{ open sync.Map }

type opened struct {
	place
	store *seshat.Store
}

func (v *services) at(t testing.TB, p place) session.Service {
	t.Helper()
	store, err := p.open(seshat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { seshattest.CheckAndClose(t, store) })
	s := adk.New(store, adk.Options{})
	v.open.Store(s, opened{p, store})
	return s
}

func (v *services) new(t testing.TB) session.Service { return v.at(t, newPlace(t)) }

func (v *services) reopen(t testing.TB, s session.Service) session.Service {
	was, _ := v.open.Load(s)
	seshattest.CheckAndClose(t, was.(opened).store)
	return v.at(t, was.(opened).place)
}

// Promise: the session service of ADK is on this driver what ADK expects.
func TestADKsOwnSuite(t *testing.T) {
	o := sessiontestsuite.SuiteOptions{SupportsUserProvidedSessionID: true}
	var v services
	sessiontestsuite.RunServiceTests(t, o, func(t *testing.T) session.Service { return v.new(t) })
}

// Promise: and it is what package adk promises besides.
func TestOurADKSuite(t *testing.T) {
	var v services
	adktest.Run(t, adktest.Harness{Open: v.new, Reopen: v.reopen})
}
