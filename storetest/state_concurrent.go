package storetest

import (
	"fmt"
	"sync"

	"github.com/seshatdb/seshat"
)

func stateRaces(e *env) {
	t := e.tenant("a")
	s, scopes := e.allScopes(t)
	const workers, each = 8, 16
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				key := fmt.Sprint(w, "/", i)
				for _, scope := range scopes[1:] {
					if err := t.MergeState(e.ctx, scope, kv{key: i}); err != nil {
						e.Error(err)
					}
				}
				if _, err := t.AppendTurn(e.ctx, s.ID, seshat.Turn{
					Messages: says(key),
					State:    kv{key: i},
				}); err != nil {
					e.Error(err)
				}
			}
		})
	}
	wg.Wait()
	want := kv{}
	for w := range workers {
		for i := range each {
			want[fmt.Sprint(w, "/", i)] = int64(i)
		}
	}
	for _, scope := range scopes {
		e.expectState(t, scope, want)
	}
	half, err := t.StateAt(e.ctx, s.ID, workers*each/2)
	e.must(err)
	equal(e, "keys after half of the turns", len(half), workers*each/2)
}

func stateReopened(e *env) {
	t := e.tenant("a")
	s, scopes := e.allScopes(t)
	e.turn(t, s.ID, seshat.Turn{
		Messages: says("1"), State: kv{"k": 1}, UserState: kv{"k": 1},
		NamespaceState: kv{"k": 1},
	})
	e.merge(t, scopes[0], kv{"k": 2})
	e.turn(t, s.ID, seshat.Turn{Messages: says("2"), State: kv{"k": 3}})
	e.reopen()
	t = e.tenant("a")
	e.expectState(t, scopes[0], kv{"k": int64(3)})
	e.expectState(t, scopes[1], kv{"k": int64(1)})
	e.expectState(t, scopes[2], kv{"k": int64(1)})
	e.expectStateAt(t, s.ID, 1, kv{"k": int64(2)})
}
