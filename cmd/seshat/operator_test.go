package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/transfer"
)

// operatorAt serves a new store on an operator socket, and returns its client.
func operatorAt(t *testing.T) (*operatorClient, *file) {
	t.Helper()
	dir, err := os.MkdirTemp("", "op") // short: a socket's path has about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	f, err := openFile(t.Context(), filepath.Join(dir, "a.db"), creating)
	if err != nil {
		t.Fatal(err)
	}
	l, err := listenPrivate(filepath.Join(dir, "s"))
	if err != nil {
		t.Skipf("no Unix sockets here: %v", err)
	}
	srv := &http.Server{Handler: operatorHandler(f)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(srv.Close(), f.Close()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	o, err := newOperatorClient(&target{url: unixPrefix + filepath.Join(dir, "s")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o, f
}

// Promise: an import that fails at its beginning says why, however much there
// is still to be sent.
func TestImportTellsWhyItFailedWhileMuchIsSent(t *testing.T) {
	o, _ := operatorAt(t)
	long := io.MultiReader(strings.NewReader("{}\n"), strings.NewReader(strings.Repeat("x", 8<<20)))
	_, err := o.Import(t.Context(), importOptions{Format: formatSeshat}, long)
	if !errors.Is(err, seshat.ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}

// Promise: each sentinel of the store is still known behind the socket.
func TestErrorsKeepTheirIdentityOnTheWire(t *testing.T) {
	for _, want := range []error{
		seshat.ErrNotFound, seshat.ErrExists, seshat.ErrConflict, seshat.ErrInvalid, seshat.ErrReadOnly,
		seshat.ErrQuota,
		seshat.ErrTransition, seshat.ErrLease, seshat.ErrLagged, seshat.ErrLocked, seshat.ErrUnknown, seshat.ErrFailed,
		seshat.ErrCorrupt, seshat.ErrFormat, transfer.ErrTruncated, errors.ErrUnsupported, errUsage,
	} {
		if got := newWireError(want); !errors.Is(got, want) {
			t.Errorf("%v becomes %v", want, got)
		}
	}
	if err := newWireError(errors.New("other")); err.Unwrap() != nil {
		t.Errorf("an error without a sentinel matches %v", err.Unwrap())
	}
}

// Promise: an operator that is interrupted leaves no half-written file.
func TestInterruptedBackupLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "a.db")
	f, err := openFile(t.Context(), db, creating)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, verb := range []string{"backup", "export"} {
		args := []string{verb, "--db", db, filepath.Join(dir, "copy")}
		code := run(ctx, args, streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
		if code != exitSignal {
			t.Errorf("%s: exit code %d, want %d", verb, code, exitSignal)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "a.db" {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Promise: a file that comes while another is written under the same name is
// not replaced.
func TestOutputReplacesNothingThatCameMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	o, err := createOut(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.commit(nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v, want ErrExist", err)
	}
	if b, err := os.ReadFile(path); string(b) != "theirs" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
