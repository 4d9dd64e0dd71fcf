//go:build unix

package suites

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/seshatdb/seshat/test/lin"
)

// partOfHistory is the role of a process that makes a part of a history.
func partOfHistory(ctx context.Context, w work, in *bufio.Scanner, out *os.File) error {
	clock, free, err := lin.MapClock(w.Clock)
	if err != nil {
		return err
	}
	p := lin.Plan{
		Seed: w.Seed, First: w.First, Clients: w.Clients, Calls: w.Calls, Sessions: 4, Clock: clock,
		Open: w.place().open,
	}
	fmt.Fprintln(out, "ready")
	if err := awaitWord(in, "go"); err != nil {
		return err
	}
	h, err := p.Run(ctx)
	if err = errors.Join(err, free()); err != nil {
		return err
	}
	return h.Write(out)
}

// together has a process on each place make its part of one history.
func together(t *testing.T, seed uint64, places ...place) *lin.History {
	t.Helper()
	path, _ := mapped(t)
	var children []*process
	for i, p := range places {
		children = append(children, start(t, "linear", work{
			DSN: p.dsn, Schema: p.schema, Clock: path, Seed: seed, First: 4 * i, Clients: 4, Calls: scaled(200, 1000),
		}))
	}
	for _, c := range children {
		c.hear()
	}
	for _, c := range children {
		c.say("go")
	}
	all := &lin.History{Codes: map[string]int{}}
	for _, c := range children {
		h, err := lin.Read(c.out)
		if err != nil {
			t.Fatal(err)
		}
		c.end()
		all.Merge(h)
	}
	return all
}

// Promise: calls that two processes make on one session are linearizable.
func TestLinearizableInTwoProcesses(t *testing.T) {
	for n := range *runs {
		p := newPlace(t)
		linear(t, *seed+uint64(n), together(t, *seed+uint64(n), p, p))
	}
}

// Promise: the search would notice if the processes did not share a store.
func TestProcessesApartAreNotLinearizable(t *testing.T) {
	if got := together(t, *seed, newPlace(t), newPlace(t)).Check(patience); got != porcupine.Illegal {
		t.Errorf("two stores: %s, want it to be found", got)
	}
}
