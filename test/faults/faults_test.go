// Package faults makes each call of the engine fail, once for each method of
// the store that makes the call.
package faults

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/storetest"
)

var errInjected = errors.New("injected")

// A method that makes several calls may have done part of its work. The calls
// of Scene that need a lease acquire it first, and Restore begins with a read.
// If these fail, the scene calls the method all the same.
var (
	inParts = map[string]bool{
		"Store.Sweep": true, "Tenant.ApplyPolicy": true, "Tenant.DeleteUser": true, "Tenant.DeleteNamespace": true,
		"Tenant.RenewLease": true, "Tenant.ReleaseLease": true, "Tenant.Restore": true,
	}
	goesOn = map[string]bool{
		"Store.Authenticate": true, "Tenant.RenewLease": true, "Tenant.ReleaseLease": true, "Tenant.Restore": true,
	}
)

// plan makes the n-th call of one kind fail.
type plan func(*seshattest.Store, testing.TB, seshattest.Fault) *seshattest.Injection

// Promise: if any call of the engine fails, the method returns its error and
// has changed nothing, in memory and in a file.
func TestEveryCallOfTheEngineFails(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *seshattest.Store{
		"memory": func(t testing.TB) *seshattest.Store { return seshattest.Open(t) },
		"file":   func(t testing.TB) *seshattest.Store { return seshattest.OpenFile(t) },
	} {
		t.Run(name, func(t *testing.T) { everyCallFails(t, open) })
	}
}

func everyCallFails(t *testing.T, open func(testing.TB) *seshattest.Store) {
	plans := map[string]plan{"read": (*seshattest.Store).FailRead, "write": (*seshattest.Store).FailWrite}
	total := map[string]int{}
	methods := slices.Sorted(maps.Keys(storetest.NewScene(t, open(t).Store).Calls()))
	for _, method := range methods {
		t.Run(method, func(t *testing.T) {
			for kind, plan := range plans {
				n := 1
				for failsAt(t, open(t), method, n, plan) {
					n++
				}
				total[kind] += n - 1
			}
		})
	}
	t.Logf("%d reads and %d writes failed", total["read"], total["write"])
	if total["read"] < 50 || total["write"] < 30 {
		t.Errorf("only %d reads and %d writes of the engine failed", total["read"], total["write"])
	}
}

// failsAt calls the method while call n of the engine fails. It reports whether
// there was such a call.
func failsAt(t *testing.T, s *seshattest.Store, method string, n int, plan plan) bool {
	t.Helper()
	scene := storetest.NewScene(t, s.Store)
	before := scene.Digest(t)
	fault := plan(s, t, seshattest.Fault{Nth: n, Err: errInjected})
	err := scene.Calls()[method](t.Context())
	if unreached := fault.Cancel(); unreached {
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Fatal(err)
		}
		return false
	}
	if !errors.Is(err, errInjected) && !goesOn[method] {
		t.Errorf("call %d failed: got error %v, want the engine's", n, err)
	}
	if !inParts[method] {
		if after := scene.Digest(t); after != before {
			t.Errorf("call %d failed, and the store changed from\n%s\nto\n%s", n, before, after)
		}
	}
	return true
}
