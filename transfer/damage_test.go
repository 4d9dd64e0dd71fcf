package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
	"github.com/seshatdb/seshat/transfer"
)

// An export that ends anywhere before its end is noticed, and whatever was
// imported of it is whole.
func TestTruncatedAnywhere(t *testing.T) {
	ctx := context.Background()
	data := exportTenant(t, everything(t, seshattest.Open(t), "acme"))
	s := seshattest.Open(t)
	for i, n := 0, len(data)-1; i < n; i += 1 + len(data)/150 {
		tn := tenant(t, s, fmt.Sprint("cut ", i))
		_, err := transfer.Import(ctx, tn, bytes.NewReader(data[:i]), transfer.Options{})
		var at *transfer.LineError
		if !errors.Is(err, transfer.ErrTruncated) || !errors.As(err, &at) {
			t.Fatalf("cut after %d of %d bytes: %v; want ErrTruncated in a LineError", i, len(data), err)
		}
		checkWhole(t, tn, i)
	}
}

func checkWhole(t *testing.T, tn *seshat.Tenant, cut int) {
	t.Helper()
	want := map[string]uint64{"rich": 3, "fork": 1, "anonymous, archived": 0}
	for s, err := range tn.Sessions(context.Background(), seshat.Query{}) {
		must(t, err)
		if s.MessageCount != want[s.ID] {
			t.Errorf("cut after %d bytes: %s has %d messages; want %d or no session", cut, s.ID, s.MessageCount,
				want[s.ID])
		}
	}
}

// A reader that fails ends the import with its error.
func TestFailingReader(t *testing.T) {
	data := exportTenant(t, everything(t, seshattest.Open(t), "acme"))
	broken := errors.New("cable cut")
	r := io.MultiReader(bytes.NewReader(data[:len(data)/2]), &failing{broken})
	tn := tenant(t, seshattest.Open(t), "acme")
	if _, err := transfer.Import(context.Background(), tn, r, transfer.Options{}); !errors.Is(err, broken) {
		t.Errorf("got %v; want the reader's error", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// What is not an export is refused, and the error names the line.
func TestRefusedLines(t *testing.T) {
	const (
		head = `{"format":"seshat","version":1}` + "\n"
		ns   = `{"type":"namespace","namespace":{"name":"a"}}` + "\n"
	)
	for _, c := range []struct {
		name, in string
		line     int
		want     error
	}{
		{"nothing", "", 1, transfer.ErrTruncated},
		{"another format", `{"format":"other","version":1}` + "\n", 1, transfer.ErrFormat},
		{"a later version", `{"format":"seshat","version":2}` + "\n", 1, transfer.ErrFormat},
		{"text", head + "hello\n", 2, transfer.ErrFormat},
		{"another type", head + ns + `{"type":"poem"}` + "\n", 3, transfer.ErrFormat},
		{"a session of no namespace", head + `{"type":"session","session":{}}` + "\n", 2, transfer.ErrFormat},
		{"a message of no session", head + ns + `{"type":"message","message":{}}` + "\n", 3, transfer.ErrFormat},
		{"state of no scope", head + ns + `{"type":"state","state":{"a":1}}` + "\n", 3, transfer.ErrFormat},
		{"a session without content", head + ns + `{"type":"session"}` + "\n", 3, transfer.ErrFormat},
		{"two namespaces", head + ns + ns, 3, transfer.ErrFormat},
		{"a number for a name", head + `{"type":"namespace","namespace":{"name":3}}` + "\n", 2, transfer.ErrFormat},
		{"bytes that are none", head + ns + `{"type":"state","exact":{"state":"0"}}` + "\n", 3, transfer.ErrFormat},
		{
			"a time that is none", head + ns + `{"type":"session","session":{"created_at":"soon"}}` + "\n", 3,
			transfer.ErrFormat,
		},
		{
			"an illegal session", head + ns + `{"type":"session","session":{"session_id":"x"}}` + "\n", 4,
			transfer.ErrTruncated,
		},
		{
			"a wrong checksum", head + ns + `{"type":"end","counts":{"namespaces":1},"sha256":"00"}` + "\n", 3,
			transfer.ErrCorrupt,
		},
		{
			"wrong counts", head + ns + `{"type":"end","counts":{"namespaces":2},"sha256":"00"}` + "\n", 3,
			transfer.ErrCorrupt,
		},
		{"a long line", head + `{"type":"` + strings.Repeat("x", 5000) + `"}` + "\n", 2, transfer.ErrLineTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			tn := tenant(t, seshattest.Open(t), "acme")
			_, err := transfer.Import(context.Background(), tn, strings.NewReader(c.in),
				transfer.Options{MaxLine: 4096})
			var at *transfer.LineError
			if !errors.Is(err, c.want) || !errors.As(err, &at) {
				t.Fatalf("got %v; want %v in a LineError", err, c.want)
			}
			if at.Line != c.line {
				t.Errorf("error at line %d; want %d", at.Line, c.line)
			}
		})
	}
}

// One changed byte is noticed, wherever it is.
func TestChangedBytes(t *testing.T) {
	ctx := context.Background()
	data := exportTenant(t, everything(t, seshattest.Open(t), "acme"))
	s := seshattest.Open(t)
	for i := 0; i < len(data); i += 1 + len(data)/200 {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if _, err := transfer.Import(ctx, tenant(t, s, fmt.Sprint(i)), bytes.NewReader(bad),
			transfer.Options{}); err == nil {
			t.Errorf("byte %d, %q, was changed and nobody noticed", i, data[i])
		}
	}
}

// Something behind the last line is not ignored.
func TestBytesBehindTheEnd(t *testing.T) {
	data := exportTenant(t, everything(t, seshattest.Open(t), "acme"))
	tn := tenant(t, seshattest.Open(t), "acme")
	_, err := transfer.Import(context.Background(), tn, bytes.NewReader(append(data, '{')), transfer.Options{})
	if !errors.Is(err, transfer.ErrFormat) {
		t.Errorf("got %v; want ErrFormat", err)
	}
}

// An import under a context that has ended writes nothing.
func TestCancelledImport(t *testing.T) {
	data := exportTenant(t, everything(t, seshattest.Open(t), "acme"))
	tn := tenant(t, seshattest.Open(t), "acme")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := transfer.Import(ctx, tn, bytes.NewReader(data), transfer.Options{}); !errors.Is(err,
		context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	if u, err := tn.Usage(context.Background()); err != nil || u.Sessions() != 0 {
		t.Errorf("the namespace holds %+v, %v", u, err)
	}
}
