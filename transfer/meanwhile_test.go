package transfer_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/transfer"
)

// interrupted runs a function when it is first written to.
type interrupted struct {
	bytes.Buffer
	fn func()
}

func (w *interrupted) Write(b []byte) (int, error) {
	if w.fn != nil {
		w.fn()
		w.fn = nil
	}
	return w.Buffer.Write(b)
}

// A session that changes while it is exported is exported whole or not at all.
func TestChangesDuringAnExport(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name   string
		change func(*seshat.Tenant) error
		count  uint64 // of messages afterwards
		void   bool
	}{
		{
			"an edit of the log",
			func(tn *seshat.Tenant) error { _, err := tn.DeleteMessage(ctx, "s", 500); return err }, 599, true,
		},
		{
			"the end of the session", func(tn *seshat.Tenant) error { _, err := tn.Delete(ctx, "s"); return err }, 0,
			true,
		},
		{"an append", func(tn *seshat.Tenant) error {
			_, err := tn.Append(ctx, "s", seshat.Message{Role: seshat.RoleUser})
			return err
		}, 600, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tn := long(t)
			w := &interrupted{fn: func() { must(t, c.change(tn)) }}
			n, err := transfer.ExportTenant(ctx, tn, w)
			must(t, err)
			if n.Messages != c.count || strings.Contains(w.String(), `{"type":"void"}`) != c.void {
				t.Errorf("exported %+v, taken back %v; want %d messages, %v", n, !c.void, c.count, c.void)
			}
			to := tenant(t, seshattest.Open(t), "copy")
			r, err := transfer.Import(ctx, to, &w.Buffer, transfer.Options{})
			must(t, err)
			if r.Messages != c.count || r.Sessions != n.Sessions {
				t.Errorf("imported %+v; want what was exported, %+v", r, n)
			}
		})
	}
}

// long makes a tenant with a session whose export takes several writes.
func long(t *testing.T) *seshat.Tenant {
	t.Helper()
	tn := tenant(t, seshattest.Open(t), "acme")
	_, err := tn.Create(context.Background(), seshat.NewSession{ID: "s", State: map[string]any{"a": int64(1)}})
	must(t, err)
	for i := range 6 {
		turn := make([]seshat.Message, 100)
		for j := range turn {
			turn[j] = seshat.Message{Role: seshat.RoleUser, Content: fmt.Sprint(i, j)}
		}
		_, err := tn.Append(context.Background(), "s", turn...)
		must(t, err)
	}
	return tn
}
