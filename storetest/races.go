package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/seshatdb/seshat"
)

var races = []promise{
	{name: "no update is lost", test: noLostUpdates},
	{name: "one winner per version", test: oneWinner},
	{name: "one create of an id succeeds", test: oneCreate},
	{name: "one transition wins", test: oneTransition},
	{name: "one ensure makes the namespace", test: oneNamespace},
	{name: "a caller reads its own writes", test: ownWrites},
	{name: "no reader sees time go back", test: monotonicReads},
	{name: "a deleted session is not revived", test: noRevival},
	{name: "a page holds what was acknowledged before it", test: freshPages},
}

const racers = 8

// race runs fn in several goroutines and waits for them.
func race(fn func(n int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for n := range racers {
		wg.Go(func() {
			<-start
			fn(n)
		})
	}
	close(start)
	wg.Wait()
}

func noLostUpdates(e *env) {
	const each = 10
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s", Metadata: map[string]any{"n": 0}})
	increment := func(s *seshat.Session) error {
		n := s.Metadata.Map()["n"].(int64)
		s.Metadata = seshat.NewDocument(map[string]any{"n": n + 1})
		return nil
	}
	var failed atomic.Int64
	race(func(int) {
		for range each {
			for {
				_, err := t.Update(e.ctx, "s", increment, seshat.UpdateOptions{})
				if errors.Is(err, seshat.ErrConflict) { // it lost 32 races
					continue
				}
				if err != nil {
					failed.Add(1)
				}
				break
			}
		}
	})
	equal(e, "failures", failed.Load(), 0)
	s := e.get(t, "s")
	equal(e, "sum", s.Metadata.Map()["n"], any(int64(racers*each)))
	equal(e, "version", s.Version, 1+racers*each)
}

// oneWinner lets all racers update the same version, several times.
func oneWinner(e *env) {
	const rounds = 10
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	for v := range uint64(rounds) {
		var won, lost, other atomic.Int64
		var winner atomic.Value
		race(func(n int) {
			name := fmt.Sprintf("%d of %d", n, v)
			s, err := t.Update(e.ctx, "s", rename(name), seshat.UpdateOptions{IfVersion: v + 1})
			switch {
			case err == nil && s.Version == v+2:
				won.Add(1)
				winner.Store(name)
			case errors.Is(err, seshat.ErrConflict):
				lost.Add(1)
			default:
				other.Add(1)
			}
		})
		equal(e, "winners, losers, others", [3]int64{won.Load(), lost.Load(), other.Load()}, [3]int64{1, racers - 1, 0})
		equal(e, "name", e.get(t, "s").Name, winner.Load().(string))
	}
}

func oneCreate(e *env) {
	t := e.tenant("t")
	for round := range 10 {
		id := fmt.Sprint(round)
		var won, lost, ensured atomic.Int64
		race(func(n int) {
			if n%2 == 0 {
				switch _, err := t.Create(e.ctx, seshat.NewSession{ID: id}); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, seshat.ErrExists):
					lost.Add(1)
				}
				return
			}
			s, created, err := t.Ensure(e.ctx, seshat.NewSession{ID: id})
			if err == nil && s.ID == id {
				ensured.Add(1)
			}
			if created {
				won.Add(1)
			}
		})
		equal(e, "winners", won.Load(), 1)
		equal(e, "ensured", ensured.Load(), racers/2)
		if l := lost.Load(); l != racers/2 && l != racers/2-1 {
			e.Fatalf("%d creates lost", l)
		}
	}
	equal(e, "sessions", e.count(t, seshat.Query{}), 10)
}

// oneTransition: of competing moves, those that succeed follow the table in
// sequence.
func oneTransition(e *env) {
	t := e.tenant("t")
	for round := range 5 {
		id := fmt.Sprint(round)
		v := e.create(t, seshat.NewSession{ID: id}).Version
		var won atomic.Int64
		race(func(n int) {
			to := []seshat.Status{seshat.StatusArchived, seshat.StatusTerminated}[n%2]
			if _, err := t.Transition(e.ctx, id, to, seshat.TransitionOptions{IfVersion: v}); err == nil {
				won.Add(1)
			} else if !errors.Is(err, seshat.ErrConflict) {
				won.Add(100)
			}
		})
		equal(e, "winners", won.Load(), 1)
		equal(e, "version", e.get(t, id).Version, v+1)
	}
}

func oneNamespace(e *env) {
	var ids sync.Map
	race(func(int) {
		if t, err := e.EnsureTenant(e.ctx, seshat.Namespace{Name: "t"}); err == nil {
			ids.Store(t.ID(), true)
		}
	})
	n := 0
	ids.Range(func(any, any) bool {
		n++
		return true
	})
	equal(e, "ids of one namespace", n, 1)
	equal(e, "namespaces", len(e.namespaces()), 1)
}

// ownWrites lets each racer write its own sessions and read them in every way.
func ownWrites(e *env) {
	t := e.tenant("t")
	errs := make(chan error, racers)
	race(func(n int) {
		errs <- func() error {
			user := fmt.Sprint("user ", n)
			for i := range uint64(5) {
				s, err := t.Create(e.ctx, seshat.NewSession{UserID: user})
				if err != nil {
					return err
				}
				if _, err := t.Update(e.ctx, s.ID, rename(user), seshat.UpdateOptions{}); err != nil {
					return err
				}
				got, err := t.Get(e.ctx, s.ID)
				if err != nil || got.Name != user {
					return fmt.Errorf("get: %v, %w", got, err)
				}
				if c, err := t.Count(e.ctx, seshat.Query{UserID: user}); err != nil || c != i+1 {
					return fmt.Errorf("count: %d of %d, %w", c, i+1, err)
				}
				p, err := t.List(e.ctx, seshat.Query{UserID: user})
				if err != nil || uint64(len(p.Sessions)) != i+1 {
					return fmt.Errorf("list: %d of %d, %w", len(p.Sessions), i+1, err)
				}
			}
			return nil
		}()
	})
	for range racers {
		e.must(<-errs)
	}
}

// monotonicReads: while one goroutine writes, the versions that others read,
// singly or in lists, never decrease.
func monotonicReads(e *env) {
	t := e.tenant("t")
	e.create(t, seshat.NewSession{ID: "s"})
	var done atomic.Bool
	var bad atomic.Int64
	race(func(n int) {
		if n == 0 {
			for range 30 {
				if _, err := t.Update(e.ctx, "s", func(s *seshat.Session) error {
					s.Name += "x"
					return nil
				}, seshat.UpdateOptions{}); err != nil {
					bad.Add(1)
				}
			}
			done.Store(true)
			return
		}
		seen := uint64(0)
		for !done.Load() {
			s, err := t.Get(e.ctx, "s")
			if n%2 == 0 {
				var p seshat.Page
				if p, err = t.List(e.ctx, seshat.Query{}); err == nil && len(p.Sessions) == 1 {
					s = p.Sessions[0]
				}
			}
			// A read shows a version and a name of the same write.
			if err != nil || s.Version < seen || uint64(len(s.Name)) != s.Version-1 {
				bad.Add(1)
				return
			}
			seen = s.Version
		}
	})
	equal(e, "readers that saw time go back", bad.Load(), 0)
}

func noRevival(e *env) {
	t := e.tenant("t")
	for round := range 10 {
		id := fmt.Sprint(round)
		e.create(t, seshat.NewSession{ID: id})
		var deleted atomic.Int64
		race(func(n int) {
			switch {
			case n == 0:
				if _, err := t.Delete(e.ctx, id); err == nil {
					deleted.Add(1)
				}
			case n%2 == 0:
				_ = second(t.Touch(e.ctx, id))
			default:
				_ = second(t.Update(e.ctx, id, rename("x"), seshat.UpdateOptions{}))
			}
		})
		equal(e, "deletions", deleted.Load(), 1)
		e.isGone(t, id)
	}
	equal(e, "sessions", e.count(t, seshat.Query{}), 0)
}

func freshPages(e *env) {
	t := e.tenant("t")
	var made, bad atomic.Int64
	race(func(n int) {
		for range 10 {
			if n%2 == 0 {
				if _, err := t.Create(e.ctx, seshat.NewSession{}); err == nil {
					made.Add(1)
				}
				continue
			}
			before := made.Load()
			p, err := t.List(e.ctx, seshat.Query{Limit: seshat.MaxPage})
			if err != nil || int64(len(p.Sessions)) < before {
				bad.Add(1)
			}
			c, err := t.Count(e.ctx, seshat.Query{})
			if err != nil || int64(c) < before {
				bad.Add(1)
			}
		}
	})
	equal(e, "pages without an acknowledged session", bad.Load(), 0)
}
