package transfer_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/transfer"
)

// airlineFile lies beside the project, not in it.
const airlineFile = "../../shared/data/airline-sessions.jsonl"

func airline(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(airlineFile))
	if err != nil {
		t.Skipf("the real conversations are not here: %v", err)
	}
	return data
}

func tenant(t testing.TB, s *seshattest.Store, name string) *seshat.Tenant {
	t.Helper()
	tn, err := s.EnsureTenant(context.Background(), seshat.Namespace{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return tn
}

// Real conversations come in, go out, into another engine and out again, and
// are the same at every step, byte for byte.
func TestRealConversations(t *testing.T) {
	ctx, data := context.Background(), airline(t)
	file := tenant(t, seshattest.OpenFile(t), "airline")
	r, err := transfer.ImportOpenAI(ctx, file, bytes.NewReader(data), transfer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Sessions != 200 || r.Messages != 5308 {
		t.Fatalf("imported %+v; want 200 sessions, 5308 messages", r)
	}
	checkAirline(t, file, data)

	exported := exportTenant(t, file)
	memory := tenant(t, seshattest.Open(t), "airline")
	if _, err := transfer.Import(ctx, memory, bytes.NewReader(exported), transfer.Options{}); err != nil {
		t.Fatal(err)
	}
	checkAirline(t, memory, data)
	if again := exportTenant(t, memory); !bytes.Equal(again, exported) {
		t.Error("the export of what was imported differs from what was imported")
	}

	r, err = transfer.ImportOpenAI(ctx, memory, bytes.NewReader(data), transfer.Options{Existing: transfer.Skip})
	if err != nil || r.Skipped != 200 || r.Messages != 0 {
		t.Errorf("a repeated import did %+v, %v; want 200 skipped and nothing appended", r, err)
	}
}

// checkAirline compares a tenant with the file that it was imported from.
func checkAirline(t *testing.T, tn *seshat.Tenant, data []byte) {
	t.Helper()
	total, calls := 0, uint64(0)
	for raw := range bytes.Lines(data) {
		var l struct {
			Session  string
			UserID   string `json:"user_id"`
			Messages []json.RawMessage
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			t.Fatal(err)
		}
		s, err := tn.Get(context.Background(), l.Session)
		if err != nil {
			t.Fatal(err)
		}
		if s.UserID != l.UserID || s.MessageCount != uint64(len(l.Messages)) {
			t.Errorf("%s: user %q, %d messages; want %q, %d", s.ID, s.UserID, s.MessageCount, l.UserID, len(l.Messages))
		}
		calls += s.Stats.TotalToolCalls
		total += checkLog(t, tn, s.ID, l.Messages)
	}
	if total != 5308 || calls != 1164 {
		t.Errorf("read %d messages back and counted %d tool calls; want 5308, 1164", total, calls)
	}
	var out bytes.Buffer
	if _, err := transfer.ExportOpenAI(context.Background(), tn, seshat.Query{}, &out); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sortedLines(out.Bytes()), sortedLines(data)) {
		t.Error("the chat export does not give the same lines back")
	}
}

// checkLog compares a log, in order, with the messages it was made of.
func checkLog(t *testing.T, tn *seshat.Tenant, id string, want []json.RawMessage) (n int) {
	t.Helper()
	for m, err := range tn.Messages(context.Background(), id, seshat.HistoryQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n >= len(want) || m.Seq != uint64(n+1) || !bytes.Equal(m.Payload, want[n]) {
			t.Fatalf("%s: message %d is not the one of the file", id, m.Seq)
		}
		checkFields(t, &m, want[n])
		n++
	}
	if n != len(want) {
		t.Errorf("%s: %d messages; want %d", id, n, len(want))
	}
	return n
}

func checkFields(t *testing.T, m *seshat.Message, raw json.RawMessage) {
	t.Helper()
	var c struct {
		Role, Content, Name string
		ToolCallID          string `json:"tool_call_id"`
		ToolCalls           []struct {
			ID       string
			Function struct{ Name, Arguments string }
		} `json:"tool_calls"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	ok := m.Role.String() == c.Role && m.Content == c.Content
	switch {
	case len(c.ToolCalls) == 1:
		call := c.ToolCalls[0]
		ok = ok && m.ContentType == seshat.ContentToolCall && m.ToolCalls == 1 && m.ToolCallID == call.ID &&
			m.ToolName == call.Function.Name && string(m.ToolInputs) == call.Function.Arguments
	case c.Role == "tool":
		ok = ok && m.ContentType == seshat.ContentToolResult && m.ToolCallID == c.ToolCallID && m.ToolName == c.Name
	default:
		ok = ok && m.ContentType == seshat.ContentText
	}
	if !ok {
		t.Errorf("message %d does not say what %s says", m.Seq, raw)
	}
}

func sortedLines(data []byte) []string {
	out := slices.Collect(strings.Lines(string(data)))
	slices.Sort(out)
	return out
}

func exportTenant(t testing.TB, tn *seshat.Tenant) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := transfer.ExportTenant(context.Background(), tn, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkImportOpenAI(b *testing.B) {
	data, err := os.ReadFile(filepath.FromSlash(airlineFile))
	if err != nil {
		b.Skipf("the real conversations are not here: %v", err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		b.StopTimer()
		tn := tenant(b, seshattest.OpenFile(b), "airline")
		b.StartTimer()
		r := bufio.NewReader(bytes.NewReader(data))
		if _, err := transfer.ImportOpenAI(context.Background(), tn, io.Reader(r), transfer.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
