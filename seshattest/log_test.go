package seshattest_test

import (
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// logOf returns a tenant whose session "s" has these messages.
func logOf(t testing.TB, messages ...seshat.Message) *seshat.Tenant {
	t.Helper()
	tenant := seshattest.Open(t).MustTenant(t, "acme")
	seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "s"})
	if len(messages) > 0 {
		seshattest.MustAppend(t, tenant, "s", messages...)
	}
	return tenant
}

// Promise: a dump shows the content of messages and nothing that differs from
// run to run.
func TestDumpShowsWhatWasSaid(t *testing.T) {
	tenant := logOf(t,
		seshat.Message{Role: seshat.RoleUser, Content: "two\nlines", Author: "mia b"},
		seshat.Message{
			ID: "m2", Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall, ToolName: "track",
			ToolCallID: "c1", ToolInputs: []byte("{\n \"parcel\": 7 }"),
		},
		seshat.Message{
			Role: seshat.RoleTool, ContentType: seshat.ContentToolResult, ToolCallID: "c1",
			ToolOutputs: []byte(`"today"`), ToolStatus: "ok",
		},
		seshat.Message{Role: seshat.RoleFramework, ContentType: seshat.ContentEvent, Payload: []byte("\x00\xff")},
		seshat.Message{
			Role: seshat.RoleAssistant, Tokens: 12, Metadata: seshat.NewDocument(map[string]any{"b": 1, "a": "x"}),
		},
		seshat.Message{ID: "a=b", Role: seshat.RoleSystem},
	)
	want := []string{
		`1 user author="mia b" "two\nlines"`,
		`2 assistant tool_call id=m2 tool=track call=c1 inputs={"parcel":7}`,
		`3 tool tool_result call=c1 outputs="today" status=ok`,
		`4 framework event payload="\x00\xff"`,
		`5 assistant tokens=12 metadata={"a":"x","b":1} ""`,
		`6 system id="a=b" ""`,
	}
	if got := seshattest.DumpLog(t, tenant, "s"); got != strings.Join(want, "\n")+"\n" {
		t.Errorf("got\n%s", got)
	}
	summary := seshat.Message{Role: seshat.RoleSystem, Content: "short"}
	if _, err := tenant.Summarize(t.Context(), "s", seshat.Range{From: 1, To: 5}, summary); err != nil {
		t.Fatal(err)
	}
	seshattest.AssertLog(t, tenant, "s", `
		5 system summary=1-5 "short"
		6 system id="a=b" ""`)
}

// Promise: AssertLog accepts the wanted log with any indentation, and accepts
// the dump of an equal log.
func TestAssertLogPasses(t *testing.T) {
	tenant := logOf(t, seshattest.Conversation("Hi", "Hello")...)
	fork, err := tenant.Fork(t.Context(), "s", seshat.ForkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	failures := run(t, func(tb testing.TB) {
		seshattest.AssertLog(tb, tenant, "s", "1 user \"Hi\"\n2 assistant \"Hello\"")
		seshattest.AssertLog(tb, tenant, "s", "\n\n    1 user \"Hi\"  \n\n\t2 assistant \"Hello\"\n\t\t")
		seshattest.AssertLog(tb, tenant, fork.ID, seshattest.DumpLog(tb, tenant, "s"))
		seshattest.AssertLog(tb, logOf(t), "s", "")
	})
	if len(failures) > 0 {
		t.Error(failures)
	}
}

// Promise: for a different log, AssertLog fails the test once, lets it
// continue, and shows the differing lines with their neighbours.
func TestAssertLogShowsTheDifference(t *testing.T) {
	tenant := logOf(t, seshattest.Conversation("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")...)
	wanted := strings.Split(strings.TrimSpace(seshattest.DumpLog(t, tenant, "s")), "\n")
	wanted[5] = `6 assistant "another"`
	wanted = wanted[:11]
	wentOn := false
	failures := run(t, func(tb testing.TB) {
		seshattest.AssertLog(tb, tenant, "s", strings.Join(wanted, "\n"))
		wentOn = true
	})
	want := `log of session "s" (- want, + got):
  ... 2 equal lines
  3 user "c"
  4 assistant "d"
  5 user "e"
- 6 assistant "another"
+ 6 assistant "f"
  7 user "g"
  8 assistant "h"
  9 user "i"
  10 assistant "j"
  11 user "k"
+ 12 assistant "l"
`
	if len(failures) != 1 || failures[0] != want || !wentOn {
		t.Errorf("went on: %v, got failures\n%s", wentOn, strings.Join(failures, "\n"))
	}
	failures = run(t, func(tb testing.TB) { seshattest.AssertLog(tb, tenant, "s", "") })
	if len(failures) != 1 || strings.Count(failures[0], "\n+ ") != 12 {
		t.Errorf("nothing was wanted: got failures %q", failures)
	}
	seshattest.MustCreate(t, tenant, seshat.NewSession{ID: "empty"})
	failures = run(t, func(tb testing.TB) { seshattest.AssertLog(tb, tenant, "empty", wanted[0]) })
	if len(failures) != 1 || !strings.HasSuffix(failures[0], "\n- "+wanted[0]+"\n") {
		t.Errorf("something was wanted: got failures %q", failures)
	}
}

// Promise: AssertLog counts the equal lines that it omits, also at the end.
func TestAssertLogLeavesOutEqualLines(t *testing.T) {
	tenant := logOf(t, seshattest.Conversation("a", "b", "c", "d", "e", "f")...)
	_, rest, _ := strings.Cut(seshattest.DumpLog(t, tenant, "s"), "\n")
	failures := run(t, func(tb testing.TB) { seshattest.AssertLog(tb, tenant, "s", rest) })
	if len(failures) != 1 || !strings.HasSuffix(failures[0], "+ 1 user \"a\"\n  2 assistant \"b\"\n"+
		"  3 user \"c\"\n  4 assistant \"d\"\n  ... 2 equal lines\n") {
		t.Errorf("got failures %q", failures)
	}
}
