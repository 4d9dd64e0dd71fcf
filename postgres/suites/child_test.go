//go:build unix

package suites

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/test/lin"
)

// childRole names the variable that makes a run of this test binary a child
// with that role, whose work the next variable says.
const (
	childRole = "SESHAT_SUITES_CHILD"
	childWork = "SESHAT_SUITES_WORK"
)

// work is what a child is told.
type work struct {
	DSN, Schema string
	Clock       string // the file of a lin.Clock
	Seed        uint64
	First       int // number of its first client or writer
	Clients     int
	Calls       int
}

func (w work) place() place { return place{w.DSN, w.Schema} }

// roles are what a child may do. It writes to out, and reads its parent's words
// from in.
var roles = map[string]func(ctx context.Context, w work, in *bufio.Scanner, out *os.File) error{
	"sweep":  sweepAndWrite,
	"linear": partOfHistory,
}

// child is the main function of a child. Its result is its exit status.
func child(role string) int {
	var w work
	err := json.Unmarshal([]byte(os.Getenv(childWork)), &w)
	if err == nil {
		err = roles[role](context.Background(), w, bufio.NewScanner(os.Stdin), os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "child %d: %v\n", os.Getpid(), err)
		return 1
	}
	return 0
}

// process is a child that runs.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  *os.File
	out *bufio.Reader
}

// start starts a child, which ends with the test at the latest.
func start(t *testing.T, role string, w work) *process {
	t.Helper()
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childWork+"="+string(b))
	cmd.Stderr = os.Stderr
	theirs, mine, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = theirs
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err = errors.Join(err, theirs.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mine.Close() }) // a child that waits for a word ends
	return &process{t, cmd, mine, bufio.NewReader(out)}
}

// hear returns the next line that the child says.
func (p *process) hear() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("child: %v", errors.Join(err, p.cmd.Wait()))
	}
	return line
}

func (p *process) say(word string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, word); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the child's end.
func (p *process) end() {
	p.t.Helper()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("child: %v", err)
	}
}

// awaitWord returns when the parent said that word, and an error if it is gone.
func awaitWord(in *bufio.Scanner, word string) error {
	if !in.Scan() || in.Text() != word {
		return fmt.Errorf("got %q in place of %q: %w", in.Text(), word, in.Err())
	}
	return nil
}

// mapped returns the file of a new clock, and the clock.
func mapped(t *testing.T) (string, *lin.Clock) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clock")
	c, free, err := lin.MapClock(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := free(); err != nil {
			t.Error(err)
		}
	})
	return path, c
}

// tenant returns the namespace that all processes use.
func tenant(ctx context.Context, s *seshat.Store) (*seshat.Tenant, error) {
	return s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
}
