package boltdriver

import (
	"bytes"
	"fmt"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// feeds checks that every feed is whole between its ends, and that no event
// lies outside them, except those that a mark explains.
func (c *checker) feeds() error {
	f := feedCheck{checker: c}
	if err := c.walk(format.Feed, f.event); err != nil {
		return err
	}
	if err := f.end(); err != nil {
		return err
	}
	return c.walk(format.Counts, c.emptyFeed)
}

// feedCheck walks one feed after another.
type feedCheck struct {
	*checker
	ns       uint64
	began    bool
	counters format.Counters
	next     uint64 // position that is expected
	left     bool   // a mark says that Reclaim has events to remove
}

func (f *feedCheck) where() string { return fmt.Sprintf("feed of namespace %d", f.ns) }

func (f *feedCheck) event(k, v []byte) error {
	ns, pos, ok := format.ParseFeedKey(k)
	if !ok {
		return f.find("feed", "has no valid key: %x", k)
	}
	if ns != f.ns || !f.began {
		if err := f.begin(ns); err != nil {
			return err
		}
	}
	if pos <= f.counters.Tail || pos > f.counters.Head {
		if f.left {
			return nil
		}
		return f.find(f.where(), "has event %d, but runs from %d to %d", pos, f.counters.Tail+1, f.counters.Head)
	}
	f.Events++
	if _, err := format.ReadEvent(k, v); err != nil {
		if err := f.report(f.where(), err); err != nil {
			return err
		}
	}
	want := f.next
	f.next = pos + 1
	if pos != want {
		return f.find(f.where(), "has no event %d", want)
	}
	return nil
}

func (f *feedCheck) begin(ns uint64) (err error) {
	if err := f.end(); err != nil {
		return err
	}
	f.ns = ns
	f.began = true
	f.counters, err = f.view.counters(ns)
	f.next = f.counters.Tail + 1
	f.left = f.eventsLeft(ns)
	return f.report(f.where(), err)
}

func (f *feedCheck) end() error {
	if f.began && f.next != f.counters.Head+1 {
		return f.find(f.where(), "has no event %d, its head is %d", f.next, f.counters.Head)
	}
	return nil
}

// emptyFeed checks the feed of a namespace that has no events.
func (c *checker) emptyFeed(k, v []byte) error {
	n, err := format.ReadCounters(k, v)
	if err != nil || n.Head == n.Tail {
		return nil // damage was found with the records
	}
	events := c.cursor(format.Feed)
	if e, _ := events.Seek(k); bytes.HasPrefix(e, k) {
		return nil
	}
	where := fmt.Sprintf("feed of namespace %d", format.NamespaceOf(k))
	return c.find(where, "has no event at all, its head is %d", n.Head)
}
