package seshat_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// Ten thousand sessions took 74 seconds, as there were no pages (also 4871).
func TestComplaint_ListHasNoPages_ADKPython4621(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		const n = 120
		for i := range n {
			c.create(seshat.NewSession{ID: fmt.Sprint(i)})
			c.s.Clock.Advance(time.Second)
		}
		p, err := c.tn.List(c.ctx, seshat.Query{Limit: 10})
		c.do(err)
		c.equal(len(p.Sessions), 10)
		c.equal(p.Scanned <= 11, true)
		c.equal(p.Sessions[0].ID, n-1)
		c.equal(p.NextCursor != "", true)
	})
}

// Pages got lost, or came twice, while sessions came and went (also 2860).
func TestComplaint_LostPages_ADKPython4302(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		for i := range 40 {
			c.create(seshat.NewSession{ID: fmt.Sprintf("%02d", i)})
		}
		seen := map[string]int{}
		for s, err := range c.tn.Sessions(c.ctx, seshat.Query{Limit: 7}) {
			c.do(err)
			seen[s.ID]++
			if s.ID[1] == '5' {
				c.create(seshat.NewSession{ID: "new " + s.ID})
				c.say("00", "active meanwhile")
			}
		}
		for i := range 40 {
			c.equal(seen[fmt.Sprintf("%02d", i)], 1)
		}
	})
}

// Limit, order and total were missing from the list.
func TestComplaint_LimitOrderAndTotal_ADKJSPR331(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		for i := range 5 {
			c.create(seshat.NewSession{ID: fmt.Sprint(i), UserID: "mia"})
			c.s.Clock.Advance(time.Minute)
		}
		c.say("1", "newest activity")
		p, err := c.tn.List(c.ctx, seshat.Query{UserID: "mia", Order: seshat.OrderByActivity, Limit: 2})
		c.do(err)
		c.equal([2]string{p.Sessions[0].ID, p.Sessions[1].ID}, [2]string{"1", "4"})
		n, err := c.tn.Count(c.ctx, seshat.Query{UserID: "mia"})
		c.do(err)
		c.equal(n, 5)
	})
}

// Lists had no title and no metadata to show (also ADK Python PR 1825,
// claude-agent-sdk-typescript 165).
func TestComplaint_ListsWithoutTitle_ADKPython781(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", Metadata: map[string]any{"topic": "flights"}})
		c.say("s", "Book me a flight", "please")
		p, err := c.tn.List(c.ctx, seshat.Query{})
		c.do(err)
		s := p.Sessions[0]
		c.equal([3]any{s.Name, s.Metadata.Map()["topic"], s.MessageCount}, [3]any{"Book me a flight", "flights", 2})
	})
}

// A cursor that is an offset, or that a caller can build, breaks and leaks.
func TestComplaint_CursorsMustBeOpaque_GajaeCode3955(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		for i := range 3 {
			c.create(seshat.NewSession{ID: fmt.Sprint(i), UserID: "mia"})
		}
		p, err := c.tn.List(c.ctx, seshat.Query{Limit: 1})
		c.do(err)
		for _, q := range []seshat.Query{
			{Cursor: "1"}, {Cursor: p.NextCursor + "A"}, {Cursor: p.NextCursor, UserID: "mia"}, {Cursor: p.NextCursor, OldestFirst: true},
		} {
			_, err := c.tn.List(c.ctx, q)
			c.is(err, seshat.ErrInvalid)
		}
		_, err = c.tenant("other").List(c.ctx, seshat.Query{Cursor: p.NextCursor})
		c.is(err, seshat.ErrInvalid)
	})
}

// The list of sessions showed those of other users.
func TestComplaint_SessionsLeakAcrossUsers_Idun670(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		for _, user := range []string{"a", "ab", "a%", "b"} {
			c.create(seshat.NewSession{ID: "of " + user, UserID: user})
		}
		for s, err := range c.tn.Sessions(c.ctx, seshat.Query{UserID: "a"}) {
			c.do(err)
			c.equal(s.ID, "of a")
		}
	})
}

// Sessions could not be found by their user, counted, or cleaned up.
func TestComplaint_SessionsOfAUser_OpenAIAgents2808(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "1", UserID: "mia"})
		c.create(seshat.NewSession{ID: "2", UserID: "mia"})
		c.create(seshat.NewSession{ID: "3", UserID: "tom"})
		n, err := c.tn.Count(c.ctx, seshat.Query{UserID: "mia"})
		c.do(err)
		c.equal(n, 2)
		erased, err := c.tn.DeleteUser(c.ctx, "mia")
		c.do(err)
		c.equal(erased.Sessions, 2)
		c.get("3")
	})
}

// The newest of 50,000 events could not be read without all the others (also
// 4673: 70 seconds for a runner that loads all).
func TestComplaint_LastEventsOfMany_ADKPython2854(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		for range 8 {
			_, err := c.tn.Append(c.ctx, "s", make50(c)...)
			c.do(err)
		}
		page, err := c.tn.History(c.ctx, "s", seshat.HistoryQuery{Last: 20})
		c.do(err)
		last := page.Messages
		c.equal([3]uint64{uint64(len(last)), last[0].Seq, last[19].Seq}, [3]uint64{20, 381, 400})
		newest, err := c.tn.History(c.ctx, "s", seshat.HistoryQuery{NewestFirst: true, Limit: 1})
		c.do(err)
		c.equal(newest.Messages[0].Seq, 400)
	})
}

// make50 is fifty messages.
func make50(c *complaint) []seshat.Message {
	c.Helper()
	all := make([]seshat.Message, 50)
	for i := range all {
		all[i] = seshat.Message{Role: seshat.RoleUser, Content: "message"}
	}
	return all
}

// Compaction rewrote every event of the session.
func TestComplaint_CompactionRewritesAll_SpringAISession28(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		_, err := c.tn.Append(c.ctx, "s", make50(c)...)
		c.do(err)
		before, err := c.tn.History(c.ctx, "s", seshat.HistoryQuery{FromSeq: 41})
		c.do(err)
		_, err = c.tn.Summarize(c.ctx, "s", seshat.Range{From: 1, To: 40}, seshat.Message{Role: seshat.RoleSystem, Content: "short"})
		c.do(err)
		after, err := c.tn.History(c.ctx, "s", seshat.HistoryQuery{})
		c.do(err)
		c.equal([3]any{len(after.Messages), after.Messages[0].Seq, after.Messages[0].Summary}, [3]any{11, 40, seshat.Range{From: 1, To: 40}})
		c.equal(reflect.DeepEqual(after.Messages[1:], before.Messages), true)
	})
}

// State could only be changed by an event, under the version check.
func TestComplaint_StateMergeWithoutEvent_ADKPythonPR6236(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		v := c.create(seshat.NewSession{ID: "s"}).Version
		c.do(c.tn.MergeState(c.ctx, seshat.SessionScope("s"), map[string]any{"k": "v"}))
		s := c.get("s")
		c.equal([2]uint64{s.Version, s.LastSeq}, [2]uint64{v, 0})
		state, err := c.tn.State(c.ctx, seshat.SessionScope("s"))
		c.do(err)
		c.equal(state, map[string]any{"k": "v"})
	})
}

// State was one blob, and the later of two writers undid the other's key.
func TestComplaint_BlobStateLosesWrites_Omnigent3402(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				err := c.tn.MergeState(c.ctx, seshat.SessionScope("s"), map[string]any{fmt.Sprint(g): true})
				if err != nil {
					c.Error(err)
				}
			})
		}
		wg.Wait()
		state, err := c.tn.State(c.ctx, seshat.SessionScope("s"))
		c.do(err)
		c.equal(len(state), 16)
	})
}

// A state of the user could not be read without a session.
func TestComplaint_UserStateWithoutSession_ADKGo1158(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.do(c.tn.MergeState(c.ctx, seshat.UserScope("mia"), map[string]any{"seat": "aisle"}))
		state, err := c.tn.State(c.ctx, seshat.UserScope("mia"))
		c.do(err)
		c.equal(state["seat"], "aisle")
	})
}

// A key could not be deleted: a nil stored a null (also ADK Python PR 6625).
func TestComplaint_StateKeyCannotBeDeleted_ADKGo326(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s", State: map[string]any{"k": "v", "other": 1}})
		c.do(c.tn.MergeState(c.ctx, seshat.SessionScope("s"), map[string]any{"k": nil}))
		state, err := c.tn.State(c.ctx, seshat.SessionScope("s"))
		c.do(err)
		_, there := state["k"]
		c.equal(there, false)
		c.equal(state["other"], 1)
	})
}

// Some state is meant to be shared by all sessions, explicitly.
func TestComplaint_ExplicitlySharedState_ADKPython1793(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.do(c.tn.MergeState(c.ctx, seshat.NamespaceScope(), map[string]any{"motd": "hi"}))
		state, err := c.tn.State(c.ctx, seshat.NamespaceScope())
		c.do(err)
		c.equal(state["motd"], "hi")
		state, err = c.tenant("other").State(c.ctx, seshat.NamespaceScope())
		c.do(err)
		c.equal(len(state), 0)
	})
}

// Absence could only be told by the text of an error, so a runner that creates
// missing sessions created one on any error, and the history was lost (also 85).
func TestComplaint_AnyErrorCreatesASession_ADKGo751(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		_, err := c.tn.Get(c.ctx, "absent")
		c.is(err, seshat.ErrNotFound)
		var e *seshat.Error
		c.equal(errors.As(err, &e) && e.ID == "absent", true)
		c.create(seshat.NewSession{ID: "s"})
		c.say("s", "history")
		s, created, err := c.tn.Ensure(c.ctx, seshat.NewSession{ID: "s"})
		c.do(err)
		c.equal([2]any{created, s.MessageCount}, [2]any{false, 1})
		c.do(c.s.Close())
		_, _, err = c.tn.Ensure(c.ctx, seshat.NewSession{ID: "s"})
		c.is(err, seshat.ErrClosed)
		c.equal(errors.Is(err, seshat.ErrNotFound), false)
	})
}

// Fields of an event were lost on the way through the database.
func TestComplaint_FieldsLostOnReadBack_ADKGoDatabase(t *testing.T) {
	onComplaint(t, func(c *complaint) {
		c.create(seshat.NewSession{ID: "s"})
		payload := []byte(`{"finish_reason":"STOP","logprobs":{},"empty":null}` + "\x00\xff")
		m := seshat.Message{Role: seshat.RoleFramework, ContentType: seshat.ContentEvent, Payload: payload, Author: "root"}
		_, err := c.tn.Append(c.ctx, "s", m)
		c.do(err)
		page, err := c.tn.History(c.ctx, "s", seshat.HistoryQuery{})
		c.do(err)
		got := page.Messages[0]
		c.equal([2]any{string(got.Payload), got.Author}, [2]any{string(payload), "root"})
	})
}
