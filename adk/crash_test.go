package adk_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/seshattest"
)

// crashFile names the store of the process that is to be killed.
const crashFile = "ADK_CRASH_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		fmt.Fprintln(os.Stderr, talkForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// talkForEver appends events, and prints the number of each when it is
// acknowledged.
func talkForEver(path string) error {
	store, err := seshat.Open(path, seshat.Options{}) // by hand: this process is killed
	if err != nil {
		return err
	}
	s, ctx := adk.New(store, adk.Options{}), context.Background()
	r, err := s.Create(ctx, &session.CreateRequest{AppName: "app", UserID: "mia", SessionID: "s"})
	for n := 1; err == nil; n++ {
		id := fmt.Sprint(n)
		err = s.AppendEvent(ctx, r.Session, sets(id, map[string]any{"n": id, "user:n": id}))
		fmt.Println(n)
	}
	return err
}

func TestKilledProcessLosesNoAcknowledgedEvent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seshat.db")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashFile+"="+path)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &acknowledged); err != nil {
			t.Fatal(err)
		}
		if acknowledged == 50 {
			_ = cmd.Process.Kill() // what it printed meanwhile is read too
		}
	}
	if err := cmd.Wait(); err == nil || acknowledged < 50 {
		t.Fatalf("the process ended by itself, after %d events", acknowledged)
	}
	store, err := seshat.Open(path, seshat.Options{})
	seshattest.Adopt(t, store, err)
	s := &service{t, adk.New(store, adk.Options{}), nil}
	h := s.get("mia", "s")
	n := h.Events().Len()
	if n < acknowledged {
		t.Fatalf("%d events, but %d were acknowledged", n, acknowledged)
	}
	// Event and state were one step, also for the last of them.
	last := fmt.Sprint(n)
	want(s, "last event", h.Events().At(n-1).ID, last)
	want(s, "state", stateOf(h)["n"], any(last))
	want(s, "state of the user", stateOf(h)["user:n"], any(last))
	s.must(s.AppendEvent(t.Context(), h, said("resumed")))
}
