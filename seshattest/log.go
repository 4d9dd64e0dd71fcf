package seshattest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
)

// DumpLog returns a session's log as text, one line per message, oldest first.
// An error ends the test.
//
//	1 user "Where is my parcel?"
//	2 assistant tool_call tool=track call=c1 inputs={"parcel":7}
//	3 tool tool_result call=c1 outputs={"eta":"today"}
//	4 assistant tokens=12 "It arrives today."
//
// A line has the message's number, its role, its content type unless that is
// text, the other fields that are set, and the quoted content. It omits times,
// latencies and ids that the store made, so the text is the same in every run.
func DumpLog(t testing.TB, tenant *seshat.Tenant, id string) string {
	t.Helper()
	var b strings.Builder
	for m, err := range tenant.Messages(context.Background(), id, seshat.HistoryQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(messageLine(&m))
		b.WriteByte('\n')
	}
	return b.String()
}

// AssertLog fails the test if DumpLog of the session differs from want. The
// failure shows the differing lines, and the test continues. AssertLog ignores
// empty lines and space around lines, so want can be indented like the code
// around it. An error of reading the log ends the test.
func AssertLog(t testing.TB, tenant *seshat.Tenant, id, want string) {
	t.Helper()
	got := splitLines(DumpLog(t, tenant, id))
	if lines := splitLines(want); !slices.Equal(got, lines) {
		t.Errorf("log of session %q (- want, + got):\n%s", id, diffLines(lines, got))
	}
}

// messageLine returns one line of DumpLog.
func messageLine(m *seshat.Message) string {
	parts := []string{strconv.FormatUint(m.Seq, 10), m.Role.String()}
	if m.ContentType != seshat.ContentText {
		parts = append(parts, m.ContentType.String())
	}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+value)
		}
	}
	if !isStoreMade(m.ID) {
		add("id", bareOrQuoted(m.ID))
	}
	add("author", bareOrQuoted(m.Author))
	add("tool", bareOrQuoted(m.ToolName))
	add("call", bareOrQuoted(m.ToolCallID))
	add("inputs", oneLine(m.ToolInputs))
	add("outputs", oneLine(m.ToolOutputs))
	add("status", bareOrQuoted(m.ToolStatus))
	if m.Tokens > 0 {
		add("tokens", strconv.FormatUint(m.Tokens, 10))
	}
	if m.Summary != (seshat.Range{}) {
		add("summary", fmt.Sprintf("%d-%d", m.Summary.From, m.Summary.To))
	}
	if values := m.Metadata.Map(); len(values) > 0 {
		text, _ := json.Marshal(values) // cannot fail: a store keeps only values that JSON can hold
		add("metadata", string(text))
	}
	if len(m.Payload) > 0 {
		add("payload", strconv.Quote(string(m.Payload)))
	}
	if m.Content != "" || m.ContentType == seshat.ContentText {
		parts = append(parts, strconv.Quote(m.Content))
	}
	return strings.Join(parts, " ")
}

// isStoreMade reports whether a message's id looks as if the store made it:
// "msg_" and a ULID.
func isStoreMade(id string) bool {
	const prefix, ulidLen = "msg_", 26
	return len(id) == len(prefix)+ulidLen && strings.HasPrefix(id, prefix)
}

// bareOrQuoted quotes a text unless it is one word of printable characters.
func bareOrQuoted(s string) string {
	if quoted := strconv.Quote(s); quoted != `"`+s+`"` || strings.ContainsAny(s, " =") {
		return quoted
	}
	return s
}

// oneLine removes the space between the tokens of raw.
func oneLine(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw) // cannot happen: the store keeps valid JSON
	}
	return b.String()
}

// splitLines returns the lines of a text that are not blank, without the space
// around them.
func splitLines(text string) (lines []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// contextLines is the number of equal lines to show before and after a
// difference.
const contextLines = 3

// diffLines prints the changes from a to b: lines only in a with a minus, lines
// only in b with a plus, and a few equal lines around them.
func diffLines(a, b []string) string {
	script := editScript(a, b)
	var out strings.Builder
	skipped := 0
	for i, line := range script {
		from := max(0, i-contextLines)
		to := min(len(script), i+contextLines+1)
		if !slices.ContainsFunc(script[from:to], func(l string) bool { return l[0] != ' ' }) {
			skipped++
			continue
		}
		writeSkipped(&out, &skipped)
		out.WriteString(line)
		out.WriteByte('\n')
	}
	writeSkipped(&out, &skipped)
	return out.String()
}

func writeSkipped(out *strings.Builder, skipped *int) {
	if *skipped > 0 {
		fmt.Fprintf(out, "  ... %d equal lines\n", *skipped)
	}
	*skipped = 0
}

// editScript merges a and b: lines of their longest common subsequence appear
// once, the others with their sign.
func editScript(a, b []string) (script []string) {
	common := make([][]int, len(a)+1) // common[i][j] is the length of the subsequence of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i := 0
	j := 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			script = append(script, "  "+a[i])
			i++
			j++
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			script = append(script, "- "+a[i])
			i++
		default:
			script = append(script, "+ "+b[j])
			j++
		}
	}
	return script
}
