package transfer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/transfer"
)

const exportHead = `{"format":"seshat","version":1}` + "\n"

// FuzzImport reads anything as an export, also with the end that makes a whole
// one of it. Promise: it returns, with an error that says what is wrong or
// with all that was there; what it says it did is in the store, and nothing
// else, and the store is sound; what was there before is as it was; and what
// came in goes out again, as an export of which the next one is the same bytes.
func FuzzImport(f *testing.F) {
	ctx := f.Context()
	whole := exportTenant(f, everything(f, seshattest.Open(f), "acme"))
	lines := bytes.SplitAfter(whole, []byte("\n"))
	body := bytes.Join(lines[1:len(lines)-2], nil)
	for _, all := range []bool{false, true} {
		f.Add(whole, all, false)
		f.Add(body, all, true)
		for i := range lines[2 : len(lines)-2] { // each one is the last once
			f.Add(bytes.Join(lines[1:i+2], nil), all, true)
		}
		f.Add([]byte(exportHead), all, false)
		f.Add([]byte(`{"type":"namespace","namespace":{"name":"a"}}`+"\n"+`{"type":"void"}`+"\n"), all, true)
	}
	f.Fuzz(func(t *testing.T, in []byte, all, seal bool) {
		if seal {
			in = sealed(in)
		}
		s := seshattest.Open(t)
		other, before := bystander(t, s)
		o := transfer.Options{MaxLine: 1 << 16}
		within, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		var r transfer.Report
		var err error
		if all {
			r, err = transfer.ImportStore(within, s.Store, bytes.NewReader(in), o)
		} else {
			r, err = transfer.Import(within, tenant(t, s, "into"), bytes.NewReader(in), o)
		}
		checkRefusal(t, err)
		checkReport(t, s, r)
		if after := exportTenant(t, other); !bytes.Equal(before, after) {
			t.Errorf("another namespace changed:\n%s\n%s", before, after)
		}
		if err == nil {
			checkClaim(t, in, r)
		}
		checkGoesOutAgain(t, s)
	})
}

// sealed puts an export's first line before its other lines, and the last
// behind them, as they should be for what stands there.
func sealed(body []byte) []byte {
	b := append([]byte(exportHead), body...)
	if len(body) > 0 && body[len(body)-1] != '\n' {
		b = append(b, '\n')
	}
	counts, err := json.Marshal(count(b))
	if err != nil {
		return b
	}
	return fmt.Appendf(b, `{"type":"end","counts":%s,"sha256":"%x"}`+"\n", counts, sha256.Sum256(b))
}

// count counts the lines of an export.
func count(export []byte) (n transfer.Counts) {
	var before transfer.Counts // the session
	for l := range bytes.Lines(export) {
		var x struct{ Type string }
		_ = json.Unmarshal(l, &x) // what is no JSON does not count
		switch x.Type {
		case "namespace":
			n.Namespaces++
		case "session":
			before = n
			n.Sessions++
		case "message":
			n.Messages++
		case "state":
			n.States++
		case "void":
			n = before
		}
	}
	return n
}

// bystander makes a namespace that no import should change.
func bystander(t *testing.T, s *seshattest.Store) (*seshat.Tenant, []byte) {
	tn, err := s.CreateTenant(t.Context(), seshat.Namespace{Name: "bystander", OrganizationID: "elsewhere"})
	must(t, err)
	_, err = tn.Create(t.Context(), seshat.NewSession{ID: "rich", UserID: "mia", State: map[string]any{"a": int64(1)}})
	must(t, err)
	_, err = tn.Append(t.Context(), "rich", seshat.Message{ID: "q", Role: seshat.RoleUser, Content: "hi"})
	must(t, err)
	return tn, exportTenant(t, tn)
}

// checkRefusal wants an error that says where, and what it is.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var at *transfer.LineError
	if !errors.As(err, &at) || at.Line < 1 {
		t.Errorf("the error does not say where: %v", err)
	}
	for _, known := range []error{
		transfer.ErrTruncated, transfer.ErrLineTooLong, transfer.ErrFormat, transfer.ErrCorrupt,
		seshat.ErrInvalid, seshat.ErrExists, seshat.ErrQuota, seshat.ErrConflict, seshat.ErrTransition,
	} {
		if errors.Is(err, known) {
			return
		}
	}
	t.Errorf("an error of no kind: %v", err)
}

// checkReport compares what an import said with what the store holds beside
// the bystander's session and message.
func checkReport(t *testing.T, s *seshattest.Store, r transfer.Report) {
	t.Helper()
	var sessions, messages uint64
	for n, err := range s.AllNamespaces(t.Context()) {
		must(t, err)
		tn, err := s.Tenant(t.Context(), n)
		must(t, err)
		u, err := tn.Usage(t.Context())
		must(t, err)
		sessions, messages = sessions+u.Sessions(), messages+u.Messages
	}
	if sessions != r.Sessions+1 || messages != r.Messages+1 {
		t.Errorf("the store holds %d sessions, %d messages, one of each another's; the import said %+v", sessions,
			messages, r)
	}
}

// checkClaim compares what an import said with the last line.
func checkClaim(t *testing.T, in []byte, r transfer.Report) {
	t.Helper()
	var end struct{ Counts transfer.Counts }
	lines := strings.Split(strings.TrimRight(string(in), "\n"), "\n")
	must(t, json.Unmarshal([]byte(lines[len(lines)-1]), &end))
	if n := end.Counts; r.Sessions+r.Expired != n.Sessions || r.Messages > n.Messages || r.Skipped > 0 {
		t.Errorf("imported %+v of %+v", r, n)
	}
}

// checkGoesOutAgain moves all of a store into another one.
func checkGoesOutAgain(t *testing.T, s *seshattest.Store) {
	t.Helper()
	to := seshattest.Open(t)
	first := exportStore(t, s)
	if _, err := transfer.ImportStore(t.Context(), to.Store, bytes.NewReader(first), transfer.Options{}); err != nil {
		t.Fatalf("the export of what was imported is refused: %v\n%s", err, first)
	}
	if second := exportStore(t, to); !bytes.Equal(first, second) {
		t.Errorf("exports differ:\n%s\n%s", first, second)
	}
}

func exportStore(t *testing.T, s *seshattest.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := transfer.ExportStore(t.Context(), s.Store, &b)
	must(t, err)
	return b.Bytes()
}
