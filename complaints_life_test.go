package seshat_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// What was deleted came back with the session that reused its id.
func TestComplaint_ReusedIDRevivesEvents_ADKGoDatabase(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", State: map[string]any{"k": "old"}})
		c.say("s", "old", "older")
		_, err := c.tn.Delete(c.ctx, "s")
		c.do(err)
		c.create(seshat.NewSession{ID: "s"})
		c.equal(c.said("s"), []string{})
		c.say("s", "new")
		c.equal(c.said("s"), []string{"new"})
	})
}

// Deleting left state that revived when the id was used again.
func TestComplaint_OrphanStateRevives_Flowcraft421(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		for _, end := range []func(){
			func() { _, err := c.tn.Delete(c.ctx, "s"); c.do(err) },
			func() { c.s.Clock.Advance(8 * 24 * time.Hour) },
			func() { _, err := c.tn.DeleteUser(c.ctx, "mia"); c.do(err) },
		} {
			c.create(seshat.NewSession{ID: "s", UserID: "mia", State: map[string]any{"k": "old"}})
			end()
			c.create(seshat.NewSession{ID: "s", UserID: "mia"})
			state, err := c.tn.State(c.ctx, seshat.SessionScope("s"))
			c.do(err)
			c.equal(len(state), 0)
			_, err = c.tn.Delete(c.ctx, "s")
			c.do(err)
		}
	})
}

// There was no way to keep the store from growing.
func TestComplaint_StoreGrowsForEver_LangGraphJS1138(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		for i := range 5 {
			c.create(seshat.NewSession{ID: fmt.Sprint(i)})
			c.say(fmt.Sprint(i), "hello")
		}
		c.s.Clock.Advance(7 * 24 * time.Hour) // the default TTL
		r, err := c.s.Sweep(c.ctx, seshat.SweepOptions{})
		c.do(err)
		c.equal(r.Expired, 5)
		check, err := c.s.Check(c.ctx)
		c.do(err)
		c.equal([2]uint64{check.Sessions, check.Messages}, [2]uint64{0, 0})
	})
}

// Deleting a thread left its checkpoints behind, and each needs a TTL of its
// own (also PR 545).
func TestComplaint_OrphansAfterDelete_Aegra288(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "short", State: map[string]any{"k": 1}, Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
		c.create(seshat.NewSession{ID: "long", Lifecycle: seshat.Lifecycle{TTL: seshat.Never}})
		c.say("short", "hello")
		_, err := c.tn.Delete(c.ctx, "short")
		c.do(err)
		_, err = c.s.Sweep(c.ctx, seshat.SweepOptions{})
		c.do(err)
		check, err := c.s.Check(c.ctx)
		c.do(err)
		c.equal([2]uint64{check.Sessions, check.Messages}, [2]uint64{1, 0})
		c.s.Clock.Advance(100 * 24 * time.Hour)
		c.get("long")
	})
}

// A TTL on messages deleted a part of a thread.
func TestComplaint_TTLDeletesHalfAThread_LangChainMongoDB151(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
		c.say("s", "old")
		c.s.Clock.Advance(time.Hour - time.Millisecond)
		c.say("s", "new")
		c.s.Clock.Advance(time.Hour - time.Millisecond)
		_, err := c.s.Sweep(c.ctx, seshat.SweepOptions{})
		c.do(err)
		c.equal(c.said("s"), []string{"old", "new"})
		c.s.Clock.Advance(time.Millisecond)
		_, err = c.tn.History(c.ctx, "s", seshat.HistoryQuery{})
		c.is(err, seshat.ErrNotFound)
	})
}

// An expired session that no sweep had removed was revived by an append.
func TestComplaint_AppendRevivesTheExpired_TRPCAgentGoSQLite(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
		c.s.Clock.Advance(time.Hour)
		_, err := c.tn.Append(c.ctx, "s", seshat.Message{Role: seshat.RoleUser})
		c.is(err, seshat.ErrNotFound)
		_, err = c.tn.Get(c.ctx, "s")
		c.is(err, seshat.ErrNotFound)
	})
}

// Cleaning up should say first what it would do, and work in batches.
func TestComplaint_CleanupWithoutDryRun_DeerFlowPR4148(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		for i := range 10 {
			c.create(seshat.NewSession{ID: fmt.Sprint(i), Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
		}
		c.s.Clock.Advance(time.Hour)
		r, err := c.s.Sweep(c.ctx, seshat.SweepOptions{DryRun: true})
		c.do(err)
		check, err := c.s.Check(c.ctx)
		c.do(err)
		c.equal([2]int{len(r.Due), int(check.Sessions)}, [2]int{10, 10})
		r, err = c.s.Sweep(c.ctx, seshat.SweepOptions{Limit: 4})
		c.do(err)
		c.equal(r.Expired, 4)
	})
}

// One expired token was deleted by each sweep, and no more.
func TestComplaint_SweepRemovesOne_SCSPR133(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		for i := range 100 {
			c.create(seshat.NewSession{ID: fmt.Sprint(i), Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
		}
		c.s.Clock.Advance(time.Hour)
		r, err := c.s.Sweep(c.ctx, seshat.SweepOptions{})
		c.do(err)
		c.equal(r.Expired, 100)
	})
}

// What was said could not be purged for good, nor all that a user has (also
// parlant PR 135).
func TestComplaint_NoWayToPurge_VercelEve2261(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", UserID: "mia", UserMemory: map[string]any{"name": "Mia"}})
		c.say("s", "secret")
		c.do(c.tn.MergeState(c.ctx, seshat.UserScope("mia"), map[string]any{"address": "Main St."}))
		_, err := c.tn.Fork(c.ctx, "s", seshat.ForkOptions{})
		c.do(err)
		erased, err := c.tn.DeleteUser(c.ctx, "mia")
		c.do(err)
		c.equal([2]uint64{erased.Sessions, erased.Messages}, [2]uint64{2, 2})
		state, err := c.tn.State(c.ctx, seshat.UserScope("mia"))
		c.do(err)
		c.equal(len(state), 0)
		check, err := c.s.Check(c.ctx)
		c.do(err)
		c.equal([2]uint64{check.Sessions, check.Messages}, [2]uint64{0, 0})
	})
}

// Deleting a session left a copy of it in the memory of the user.
func TestComplaint_DeleteLeavesMemoryCopy_ADKPython7109(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", UserID: "mia", UserMemory: map[string]any{"name": "Mia"}})
		_, err := c.tn.Delete(c.ctx, "s")
		c.do(err)
		c.equal(c.create(seshat.NewSession{ID: "s", UserID: "mia"}).UserMemory.IsZero(), true)
	})
}

// The prefix of one tenant matched another's, and so did wildcards
// (CVE-2026-71433; also LangGraph 6890).
func TestComplaint_PrefixCrossesTenants_LangGraph8300(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		names := []string{"a", "ab", "a/b", "a%", "a_", "%", "a.b"}
		for _, name := range names {
			tn := c.tenant(name)
			_, err := tn.Create(c.ctx, seshat.NewSession{ID: "s", UserID: name, Name: name})
			c.do(err)
		}
		for _, name := range names {
			n := 0
			for s, err := range c.tenant(name).Sessions(c.ctx, seshat.Query{}) {
				c.do(err)
				c.equal(s.Name, name)
				n++
			}
			c.equal(n, 1)
		}
		_, err := c.tenant("a").DeleteNamespace(c.ctx)
		c.do(err)
		_, err = c.tenant("ab").Get(c.ctx, "s")
		c.do(err)
	})
}

// A fork at a message had no support, and neither had a rewind (also
// ADKPython4010, c0wrk51).
func TestComplaint_NoForkAndRewind_ADKGo343(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		c.say("s", "one", "two", "three")
		f, err := c.tn.Fork(c.ctx, "s", seshat.ForkOptions{Seq: 2})
		c.do(err)
		c.say(f.ID, "another way")
		_, err = c.tn.Truncate(c.ctx, "s", 1)
		c.do(err)
		c.equal(c.said("s"), []string{"one"})
		c.equal(c.said(f.ID), []string{"one", "two", "another way"})
		c.equal(f.Parent, seshat.Parent{SessionID: "s", Seq: 2})
	})
}

// A rewind lost the initial state, which no event had set.
func TestComplaint_RewindLosesInitialState_ADKPython4839(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", State: map[string]any{"lang": "de"}})
		for i := range 3 {
			_, err := c.tn.AppendTurn(c.ctx, "s", seshat.Turn{
				Messages: []seshat.Message{{Role: seshat.RoleUser}}, State: map[string]any{"step": i},
			})
			c.do(err)
		}
		state, err := c.tn.StateAt(c.ctx, "s", 2)
		c.do(err)
		c.equal(state, map[string]any{"lang": "de", "step": 1})
		f, err := c.tn.Fork(c.ctx, "s", seshat.ForkOptions{Seq: 2})
		c.do(err)
		state, err = c.tn.State(c.ctx, seshat.SessionScope(f.ID))
		c.do(err)
		c.equal(state, map[string]any{"lang": "de", "step": 1})
	})
}

// Concurrent writers got "database is locked" (also 2854, 4987, opencode 21215).
func TestComplaint_DatabaseIsLocked_OpenAIAgentsPR2843(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				id := fmt.Sprint(g)
				_, err := c.tn.Create(c.ctx, seshat.NewSession{ID: id})
				_, err2 := c.tn.Append(c.ctx, id, seshat.Message{Role: seshat.RoleUser})
				_, err3 := c.tn.History(c.ctx, id, seshat.HistoryQuery{})
				if err := errors.Join(err, err2, err3); err != nil {
					c.Error(err)
				}
			})
		}
		wg.Wait()
		if c.s.Path == "" {
			return
		}
		_, err := seshat.Open(c.s.Path, seshat.Options{})
		c.is(err, seshat.ErrLocked)
	})
}

// Suspending and archiving were one, and what was archived could not be
// resumed (also 3786, xacpx PR 72).
func TestComplaint_SuspendIsNotArchive_Paseo2179(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		for _, to := range []seshat.Status{seshat.StatusIdle, seshat.StatusArchived, seshat.StatusActive} {
			s, err := c.tn.Transition(c.ctx, "s", to, seshat.Because("why", "who"))
			c.do(err)
			c.equal([3]any{s.Status, s.LastTransition.Reason, s.LastTransition.Actor}, [3]any{to, "why", "who"})
		}
		c.say("s", "resumed")
	})
}

// Idle sessions should be archived by themselves (also copilot-session-manager 16).
func TestComplaint_AutoArchive_Hapi278(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{IdleAfter: time.Hour, ArchiveAfter: time.Hour}})
		for _, want := range []seshat.Status{seshat.StatusIdle, seshat.StatusArchived} {
			c.s.Clock.Advance(time.Hour)
			_, err := c.s.Sweep(c.ctx, seshat.SweepOptions{})
			c.do(err)
			c.equal(c.get("s").Status, want)
		}
	})
}

// Some path resurrected a session without a look at its status.
func TestComplaint_EveryPathChecksStatus_AgentricPR826(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		c.say("s", "last words")
		_, err := c.tn.Transition(c.ctx, "s", seshat.StatusTerminated)
		c.do(err)
		for _, to := range []seshat.Status{seshat.StatusActive, seshat.StatusIdle, seshat.StatusArchived} {
			_, err := c.tn.Transition(c.ctx, "s", to)
			c.is(err, seshat.ErrTransition)
		}
		_, err = c.tn.Append(c.ctx, "s", seshat.Message{Role: seshat.RoleUser})
		c.is(err, seshat.ErrReadOnly)
		_, err = c.tn.Touch(c.ctx, "s")
		c.is(err, seshat.ErrReadOnly)
		_, _, err = c.tn.Ensure(c.ctx, seshat.NewSession{ID: "s"})
		c.do(err)
		c.equal(c.get("s").Status, seshat.StatusTerminated)
	})
}

// A runner that crashed left its session running for ever.
func TestComplaint_StaleRunning_AgentaPR5688(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", Lifecycle: seshat.Lifecycle{IdleAfter: time.Minute}})
		_, err := c.tn.AcquireLease(c.ctx, "s", "crashed", time.Minute)
		c.do(err)
		c.s.Clock.Advance(time.Minute)
		_, err = c.s.Sweep(c.ctx, seshat.SweepOptions{})
		c.do(err)
		c.equal(c.get("s").Status, seshat.StatusIdle)
		_, err = c.tn.AcquireLease(c.ctx, "s", "next", time.Minute)
		c.do(err)
	})
}

// Polling missed transitions; a log in the same transaction does not (also
// PostHog PR 61049, fak 4196: no gap after re-attaching).
func TestComplaint_PollingMissesTransitions_ThurboxPR1059(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		for _, to := range []seshat.Status{seshat.StatusIdle, seshat.StatusArchived, seshat.StatusActive, seshat.StatusTerminated} {
			_, err := c.tn.Transition(c.ctx, "s", to)
			c.do(err)
		}
		var seen []seshat.Status
		for at := uint64(0); ; { // one event at a time, attached anew each time
			events, head, err := c.tn.Events(c.ctx, at, 1)
			c.do(err)
			if len(events) == 0 {
				c.equal(at, head)
				break
			}
			c.equal(events[0].Position, at+1)
			at = events[0].Position
			seen = append(seen, events[0].Status)
		}
		c.equal(seen, []seshat.Status{seshat.StatusActive, seshat.StatusIdle, seshat.StatusArchived, seshat.StatusActive, seshat.StatusTerminated})
	})
}
