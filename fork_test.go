package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

// hooked calls before for each op, except the ops that before makes itself.
type hooked struct {
	*memdriver.Driver
	before func(*driver.Op)
}

func (h *hooked) Mutate(ctx context.Context, ops ...*driver.Op) error {
	if hook := h.before; hook != nil {
		h.before = nil
		for _, o := range ops {
			hook(o)
		}
		h.before = hook
	}
	return h.Driver.Mutate(ctx, ops...)
}

// forking is a store with a parent "s" of user mia that has 300 messages.
type forking struct {
	*testing.T
	*seshat.Store
	ctx   context.Context
	d     *hooked
	tn    *seshat.Tenant
	clock *seshattest.Clock
}

func newForking(t *testing.T) *forking {
	d := &hooked{Driver: memdriver.Open()}
	s := seshattest.OpenDriver(t, d)
	t.Cleanup(func() { d.before = nil })
	f := &forking{T: t, Store: s.Store, ctx: context.Background(), d: d, clock: s.Clock, tn: s.MustTenant(t, "t")}
	seshattest.MustCreate(t, f.tn, seshat.NewSession{ID: "s", UserID: "mia"})
	turn := make([]seshat.Message, 150)
	for i := range turn {
		turn[i].Role = seshat.RoleUser
	}
	for range 2 {
		seshattest.MustAppend(t, f.tn, "s", turn...)
	}
	return f
}

func (f *forking) do(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// onChild calls fn before the write that makes the child visible. onStage calls
// fn before each write that stages its log.
func (f *forking) onChild(fn func()) {
	f.d.before = func(o *driver.Op) {
		if o.Target.Key.ID == "f" {
			fn()
		}
	}
}

func (f *forking) onStage(fn func()) {
	f.d.before = func(o *driver.Op) {
		if o.Target.Key.ID == "" {
			fn()
		}
	}
}

// empty fails unless nothing is left once the staged log is reclaimed.
func (f *forking) empty() {
	f.Helper()
	f.d.before = nil
	if _, err := f.tn.Get(f.ctx, "f"); !errors.Is(err, seshat.ErrNotFound) {
		f.Fatalf("the child: got error %v", err)
	}
	f.clock.Advance(time.Hour)
	if _, err := f.Sweep(f.ctx, seshat.SweepOptions{}); err != nil {
		f.Fatal(err)
	}
	r, err := f.Check(f.ctx)
	f.do(err)
	if r.Sessions != 0 || r.Messages != 0 || len(r.Findings) != 0 {
		f.Fatalf("after the sweep: %+v", r)
	}
}

func TestForkOfAUserWhoIsErasedAtTheLastMomentIsNotMade(t *testing.T) {
	f := newForking(t)
	f.onChild(func() {
		_, err := f.tn.DeleteUser(f.ctx, "mia")
		f.do(err)
	})
	_, err := f.tn.Fork(f.ctx, "s", seshat.ForkOptions{ID: "f"})
	if !errors.Is(err, seshat.ErrNotFound) {
		t.Fatalf("got error %v", err)
	}
	f.empty()
}

func TestForkOfAParentThatEndsWhileItIsCopiedFindsNothing(t *testing.T) {
	f := newForking(t)
	f.onStage(func() {
		_, err := f.tn.Delete(f.ctx, "s")
		if err != nil && !errors.Is(err, seshat.ErrNotFound) {
			t.Fatal(err)
		}
	})
	_, err := f.tn.Fork(f.ctx, "s", seshat.ForkOptions{ID: "f"})
	if !errors.Is(err, seshat.ErrNotFound) {
		t.Fatalf("got error %v", err)
	}
	f.empty()
}

func TestForkStartsAgainWhenTheParentIsEdited(t *testing.T) {
	f := newForking(t)
	edits := 0
	f.onStage(func() {
		if edits++; edits <= 4 {
			f.edit(uint64(301-edits), fmt.Sprint(edits))
		}
	})
	child, err := f.tn.Fork(f.ctx, "s", seshat.ForkOptions{ID: "f"})
	f.do(err)
	f.d.before = nil
	if child.MessageCount != 300 {
		t.Fatalf("the fork has %d messages", child.MessageCount)
	}
	for i := 1; i <= 4; i++ {
		page, err := f.tn.History(f.ctx, "f", seshat.HistoryQuery{FromSeq: uint64(301 - i), Limit: 1})
		f.do(err)
		if m := page.Messages[0]; m.Content != fmt.Sprint(i) {
			t.Fatalf("message %d is of before an edit: %q", m.Seq, m.Content)
		}
	}
}

func (f *forking) edit(seq uint64, text string) {
	f.Helper()
	_, err := f.tn.EditMessage(f.ctx, "s", seq, func(m *seshat.Message) error {
		m.Content = text
		return nil
	})
	f.do(err)
}

func TestForkOfAParentThatNeverRestsIsAConflict(t *testing.T) {
	f := newForking(t)
	edits := 0
	f.onStage(func() {
		edits++
		f.edit(1, fmt.Sprint(edits))
	})
	_, err := f.tn.Fork(f.ctx, "s", seshat.ForkOptions{ID: "f"})
	if !errors.Is(err, seshat.ErrConflict) {
		t.Fatalf("got error %v", err)
	}
	if want := 32 * 3; edits != want { // three steps of 128 for 300 messages
		t.Fatalf("staged %d times, want %d", edits, want)
	}
	f.d.before = nil
	_, err = f.tn.Delete(f.ctx, "s")
	f.do(err)
	f.empty()
}

func TestForkOfAnIDTakenMeanwhileExists(t *testing.T) {
	f := newForking(t)
	f.onChild(func() {
		f.d.before = nil
		_, _, err := f.tn.Ensure(f.ctx, seshat.NewSession{ID: "f", Name: "first"})
		f.do(err)
	})
	_, err := f.tn.Fork(f.ctx, "s", seshat.ForkOptions{ID: "f"})
	if !errors.Is(err, seshat.ErrExists) {
		t.Fatalf("got error %v", err)
	}
	s, err := f.tn.Get(f.ctx, "f")
	f.do(err)
	if s.Name != "first" || s.MessageCount != 0 {
		t.Fatalf("the session that was first is now %+v", s)
	}
}

func TestForkAtATakenIDStagesNothing(t *testing.T) {
	f := newForking(t)
	f.onStage(func() { t.Error("a log was staged") })
	if _, err := f.tn.Fork(f.ctx, "s", seshat.ForkOptions{ID: "s"}); !errors.Is(err, seshat.ErrExists) {
		t.Fatalf("got error %v", err)
	}
	s, err := f.tn.Get(f.ctx, "s")
	f.do(err)
	if _, err := f.tn.Restore(f.ctx, seshat.Snapshot{
		Session:  s,
		Messages: f.tn.Messages(f.ctx, "s", seshat.HistoryQuery{}),
	}); !errors.Is(err, seshat.ErrExists) {
		t.Fatalf("got error %v", err)
	}
}
