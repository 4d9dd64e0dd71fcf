package seshat_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// The tests named TestComplaint are what users of other session stores ask for
// loudest, each under the project and number of its thread: ADKPython and
// ADKGo are google/adk-python and google/adk-go. A PR in the name is a pull
// request. Each says what went wrong there, and passes here on both engines.

// complaint is a store with a tenant, under a test.
type complaint struct {
	*testing.T
	ctx context.Context
	s   *seshattest.Store
	tn  *seshat.Tenant
}

func onComplaint(t *testing.T, fn func(*complaint)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB, ...seshat.Options) *seshattest.Store{
		"memory": seshattest.Open, "file": seshattest.OpenFile,
	} {
		t.Run(name, func(t *testing.T) {
			c := &complaint{T: t, ctx: context.Background(), s: open(t)}
			c.tn = c.tenant("acme")
			fn(c)
		})
	}
}

func (c *complaint) tenant(name string) *seshat.Tenant {
	c.Helper()
	tn, err := c.s.EnsureTenant(c.ctx, seshat.Namespace{Name: name})
	c.do(err)
	return tn
}

func (c *complaint) do(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *complaint) is(err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Fatalf("got error %v, want %v", err, want)
	}
}

func (c *complaint) equal(got, want any) {
	c.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.Fatalf("got %v, want %v", got, want)
	}
}

func (c *complaint) create(n seshat.NewSession) *seshat.Session {
	c.Helper()
	s, err := c.tn.Create(c.ctx, n)
	c.do(err)
	return s
}

func (c *complaint) get(id string) *seshat.Session {
	c.Helper()
	s, err := c.tn.Get(c.ctx, id)
	c.do(err)
	return s
}

func (c *complaint) say(id string, texts ...string) *seshat.Session {
	c.Helper()
	var all []seshat.Message
	for _, text := range texts {
		all = append(all, seshat.Message{Role: seshat.RoleUser, Content: text})
	}
	s, err := c.tn.Append(c.ctx, id, all...)
	c.do(err)
	return s
}

// said is the contents of the log.
func (c *complaint) said(id string) []string {
	c.Helper()
	out := []string{}
	for m, err := range c.tn.Messages(c.ctx, id, seshat.HistoryQuery{}) {
		c.do(err)
		out = append(out, m.Content)
	}
	return out
}

func call(id string) seshat.Message {
	return seshat.Message{ID: id + ".call", Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, ToolCallID: id, Tokens: 1}
}

func result(id string) seshat.Message {
	return seshat.Message{ID: id + ".result", Role: seshat.RoleTool, ContentType: seshat.ContentToolResult, ToolCallID: id, Tokens: 1}
}

// Every handle was an implicit write lease: a legitimate second writer's turn
// was refused as stale and lost.
func TestComplaint_SecondWriterLosesItsTurn_ADKGo1229(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		old := c.get("s")
		c.say("s", "first writer")
		c.say(old.ID, "second writer")
		c.equal(c.said("s"), []string{"first writer", "second writer"})
	})
}

// A user who wrote again before the agent had answered got a stale session
// error (also 537, 917, 1733).
func TestComplaint_DoubleTextingIsStale_ADKPython1049(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		c.say("s", "question")
		agent := c.get("s") // reads, and thinks
		c.say("s", "one more thing")
		c.say(agent.ID, "answer")
		c.equal(c.get("s").LastSeq, 3)
	})
}

// Staleness was decided by comparing float timestamps, which failed for equal
// ones; an integer was asked for.
func TestComplaint_FalseStaleOnEqualTimestamps_ADKPython3717(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		s := c.create(seshat.NewSession{ID: "s"})
		for i := range 5 { // all in one millisecond
			var err error
			s, err = c.tn.Update(c.ctx, "s", func(s *seshat.Session) error {
				s.Name = fmt.Sprint(i)
				return nil
			}, seshat.IfVersion(s.Version))
			c.do(err)
		}
		_, err := c.tn.Update(c.ctx, "s", func(*seshat.Session) error { return nil }, seshat.IfVersion(s.Version-1))
		c.is(err, seshat.ErrConflict)
	})
}

// A stale handle was reloaded without a word, so two turns were interleaved
// and the history was corrupt for ever.
func TestComplaint_InterleavedTurnsCorruptHistory_ADKPython4751(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				id := fmt.Sprint(g)
				if _, err := c.tn.Append(c.ctx, "s", call(id), result(id)); err != nil {
					c.Error(err)
				}
			})
		}
		wg.Wait()
		page, err := c.tn.History(c.ctx, "s", seshat.HistoryQuery{})
		c.do(err)
		log := page.Messages
		for i := 0; i < len(log); i += 2 {
			c.equal([2]string{log[i].ID, log[i+1].ID}, [2]string{log[i].ToolCallID + ".call", log[i].ToolCallID + ".result"})
		}
		known := uint64(0) // who must not answer what it did not see, says so
		_, err = c.tn.AppendTurn(c.ctx, "s", seshat.Turn{Messages: []seshat.Message{call("late")}, IfLastSeq: &known})
		c.is(err, seshat.ErrConflict)
		c.equal(c.get("s").LastSeq, 16)
	})
}

// The version check ended the turn of a human who was asked, because the
// session had changed while they thought.
func TestComplaint_HumanInTheLoopTurnIsStale_AGUI957(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		_, err := c.tn.Append(c.ctx, "s", call("approve"))
		c.do(err)
		c.s.Clock.Advance(24 * time.Hour)
		_, err = c.tn.Update(c.ctx, "s", func(s *seshat.Session) error {
			s.Name = "changed by a dashboard"
			return nil
		})
		c.do(err)
		_, err = c.tn.Append(c.ctx, "s", result("approve"))
		c.do(err)
		c.equal(c.get("s").MessageCount, 2)
	})
}

// Everybody wrapped the append in retries of their own (also Solace Agent Mesh
// PR 937, ADK Go PR 1256).
func TestComplaint_EveryoneWritesAppendWithRetry_ADKPythonPR3586(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for range 5 {
					if _, err := c.tn.Append(c.ctx, "s", seshat.Message{Role: seshat.RoleUser}); err != nil {
						c.Error(err)
					}
				}
			})
		}
		wg.Wait()
		s := c.get("s")
		c.equal([2]uint64{s.MessageCount, s.LastSeq}, [2]uint64{80, 80})
	})
}

// A back-dated timestamp of an event bypassed the version check.
func TestComplaint_BackdatedWriterIsNotStale_ADKGoDatabase(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		v := c.create(seshat.NewSession{ID: "s"}).Version
		for range 2 {
			_, err := c.tn.Append(c.ctx, "s", seshat.Message{Role: seshat.RoleUser, Timestamp: time.Unix(1, 0)})
			c.do(err)
		}
		rename := func(s *seshat.Session) error {
			s.Name = "x"
			return nil
		}
		_, err := c.tn.Update(c.ctx, "s", rename, seshat.IfVersion(v))
		c.do(err)
		_, err = c.tn.Update(c.ctx, "s", rename, seshat.IfVersion(v))
		c.is(err, seshat.ErrConflict)
	})
}

// A rejected append left its event in the caller's handle, as if it had been
// stored.
func TestComplaint_RejectedAppendStaysInTheHandle_ADKGoDatabase(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		s := c.create(seshat.NewSession{ID: "s", Quotas: seshat.Quotas{MaxMessages: 1}})
		turn := []seshat.Message{{Role: seshat.RoleUser}, {Role: seshat.RoleAssistant}}
		after, err := c.tn.Append(c.ctx, "s", turn...)
		c.is(err, seshat.ErrQuota)
		if after != nil || s.MessageCount != 0 || turn[0].ID != "" || turn[0].Seq != 0 {
			t.Fatalf("a rejected append left %v, %v, %+v", after, s, turn)
		}
		c.equal(c.said("s"), []string{})
	})
}

// Events and state were shared with the caller: a concurrent map write ended
// the process (also trpc-agent-go 2516).
func TestComplaint_SharedMapsCrashTheProcess_ADKGo1560(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", Labels: map[string]string{"k": "v"}, Metadata: map[string]any{"k": "v"}})
		c.say("s", "hello")
		shared := c.get("s")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				s, err := c.tn.Get(c.ctx, "s")
				if err != nil {
					c.Error(err)
					return
				}
				s.Labels["k"], s.Metadata.Map()["k"] = "mine", "mine"
				_, _ = shared.Metadata.Map()["k"], shared.Labels["k"]
				if _, err := c.tn.Append(c.ctx, "s", seshat.Message{Role: seshat.RoleUser}); err != nil {
					c.Error(err)
				}
			})
		}
		wg.Wait()
		s := c.get("s")
		c.equal(s.Labels["k"], "v")
		c.equal(s.Metadata.Map()["k"], "v")
	})
}

// Two runners of one session had nothing to fence the one that hung (also
// stacklok/mecatl 60).
func TestComplaint_ConcurrentRunnersAreNotFenced_QwenLMPR7237(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		hung, err := c.tn.AcquireLease(c.ctx, "s", "one", time.Minute)
		c.do(err)
		_, err = c.tn.AcquireLease(c.ctx, "s", "two", time.Minute)
		c.is(err, seshat.ErrLease)
		c.s.Clock.Advance(time.Minute)
		next, err := c.tn.AcquireLease(c.ctx, "s", "two", time.Minute)
		c.do(err)
		turn := seshat.Turn{Messages: []seshat.Message{{Role: seshat.RoleAssistant}}, Lease: hung.Token}
		_, err = c.tn.AppendTurn(c.ctx, "s", turn)
		c.is(err, seshat.ErrLease)
		turn.Lease = next.Token
		_, err = c.tn.AppendTurn(c.ctx, "s", turn)
		c.do(err)
		c.equal(c.get("s").MessageCount, 1)
	})
}

// A retry stored its event twice, and applied its state twice (also 5723).
func TestComplaint_RetryDuplicatesEvents_ADKPython4506(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		turn := seshat.Turn{Messages: []seshat.Message{call("a"), result("a")}, State: map[string]any{"n": 1}}
		first, err := c.tn.AppendTurn(c.ctx, "s", turn)
		c.do(err)
		c.do(c.tn.MergeState(c.ctx, seshat.SessionScope("s"), map[string]any{"n": 2}))
		again, err := c.tn.AppendTurn(c.ctx, "s", turn)
		c.do(err)
		c.equal([3]any{again.Repeated, again.First, again.Last}, [3]any{true, first.First, first.Last})
		state, err := c.tn.State(c.ctx, seshat.SessionScope("s"))
		c.do(err)
		c.equal(state["n"], 2)
		c.equal(c.get("s").MessageCount, 2)
	})
}

// The same event id twice should be a no-op, and was an error of the database
// or stored twice.
func TestComplaint_DuplicateIDIsNoNoOp_SpringAISessionPR40(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		for range 3 {
			_, err := c.tn.Append(c.ctx, "s", call("a"))
			c.do(err)
		}
		c.equal(c.get("s").MessageCount, 1)
		other := call("a")
		other.Content = "other"
		_, err := c.tn.Append(c.ctx, "s", other)
		var used *seshat.MessageIDError
		if !errors.As(err, &used) || used.MessageID != "a.call" || used.Seq != 1 {
			t.Fatalf("got error %v", err)
		}
	})
}

// The tool had run and the write of its result failed: the call stayed an
// orphan. A caller can write both at once, and repeat it.
func TestComplaint_OrphanToolCall_OpenAIAgents4615(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		canceled, cancel := context.WithCancel(c.ctx)
		cancel()
		_, err := c.tn.Append(canceled, "s", call("a"), result("a"))
		c.is(err, context.Canceled)
		c.equal(c.get("s").MessageCount, 0)
		_, err = c.tn.Append(c.ctx, "s", call("a"), result("a"))
		c.do(err)
		c.equal(c.get("s").MessageCount, 2)
	})
}

// A half-written pair of call and result made a session unusable for ever
// (also 19048, strands PR 1123, pi 4189).
func TestComplaint_HalfWrittenTurn_OpenClaw4728(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		bad := result("a")
		bad.ToolOutputs = []byte("{not json")
		_, err := c.tn.Append(c.ctx, "s", call("a"), bad)
		c.is(err, seshat.ErrInvalid)
		c.equal(c.get("s").LastSeq, 0)
		_, err = c.tn.Append(c.ctx, "s", seshat.Message{Role: seshat.RoleUser, Tokens: 1}, call("a"), result("a"))
		c.do(err)
		for budget := uint64(1); budget <= 3; budget++ {
			page, err := c.tn.History(c.ctx, "s", seshat.HistoryQuery{TokenBudget: budget})
			c.do(err)
			c.equal(len(page.Messages) > 0 && page.Messages[0].ContentType == seshat.ContentToolResult, false)
		}
	})
}

// Equal timestamps came back in any order: c, a, b, z, d as d, z, b, a, c.
func TestComplaint_OrderOfEqualTimestamps_ADKGoDatabase(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		at := time.Unix(1_700_000_000, 0)
		for _, text := range []string{"c", "a", "b", "z", "d"} {
			_, err := c.tn.Append(c.ctx, "s", seshat.Message{ID: text, Role: seshat.RoleUser, Content: text, Timestamp: at})
			c.do(err)
		}
		c.equal(c.said("s"), []string{"c", "a", "b", "z", "d"})
	})
}
