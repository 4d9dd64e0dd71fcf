package boltdriver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
)

// Children are this test binary again, told by the environment what to be.
const (
	childRole = "BOLTDRIVER_CHILD"
	childPath = "BOLTDRIVER_PATH"
	childArg  = "BOLTDRIVER_ARG"
)

var roles = map[string]func(path, arg string) string{
	"hold": roleHold,
	"die":  roleDie,
	"race": roleRace,

	"compact": roleCompact,
}

// TestChild is the body of child processes; alone it does nothing.
func TestChild(t *testing.T) {
	role, ok := roles[os.Getenv(childRole)]
	if !ok {
		t.Skip("for child processes only")
	}
	fmt.Println(">", role(os.Getenv(childPath), os.Getenv(childArg)))
}

// child is a running child process. Closing its input tells it to go on.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func spawn(t testing.TB, role, path, arg string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v=false")}
	c.cmd.Env = append(os.Environ(), childRole+"="+role, childPath+"="+path, childArg+"="+arg)
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill(); _ = c.cmd.Wait() })
	return c
}

// line returns the next line that the child says, "" at its end.
func (c *child) line() string {
	for c.out.Scan() {
		if s, ok := strings.CutPrefix(c.out.Text(), "> "); ok {
			return s
		}
	}
	return ""
}

func verdict(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, driver.ErrLocked):
		return "locked"
	case errors.Is(err, driver.ErrCorrupt):
		return "corrupt"
	}
	return err.Error()
}

// roleHold opens the file, says so, and keeps it until its input ends.
func roleHold(path, arg string) string {
	f, err := dbfile.Open(path, dbfile.Options{ReadOnly: arg == "ro"})
	fmt.Println(">", verdict(err))
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err != nil {
		return verdict(err)
	}
	return verdict(f.Close())
}

// roleDie kills itself at a step of creating the file.
func roleDie(path, arg string) string {
	_, err := dbfile.Open(path, dbfile.Options{Hooks: dbfile.Hooks{Step: dieAt(arg)}})
	return verdict(err)
}

func dieAt(step string) func(string) {
	return func(name string) {
		if name == step {
			p, _ := os.FindProcess(os.Getpid())
			_ = p.Kill()
			<-time.After(time.Minute)
		}
	}
}

// roleCompact kills itself at a step of compacting the file.
func roleCompact(path, arg string) string {
	d, err := Open(path, Options{hooks: dbfile.Hooks{Step: dieAt(arg)}})
	if err != nil {
		return verdict(err)
	}
	_, _, err = d.Compact(ctx)
	return verdict(err)
}

// roleRace opens the file once its input ends, and keeps it until it is killed.
func roleRace(path, _ string) string {
	_, _ = io.Copy(io.Discard, os.Stdin)
	f, err := dbfile.Open(path, dbfile.Options{LockTimeout: 200 * time.Millisecond})
	fmt.Println(">", verdict(err))
	<-time.After(time.Minute) // for ever, but the runtime must not call it a deadlock
	runtime.KeepAlive(f)
	return ""
}

// Another process is kept out, told so within a second, and let in as soon as
// the holder is gone, killed or not.
func TestProcessLocks(t *testing.T) {
	path := emptyStore(t)
	for _, c := range []struct {
		holder     string
		ro, locked bool
	}{{"rw", false, true}, {"rw", true, true}, {"ro", false, true}, {"ro", true, false}} {
		holder := spawn(t, "hold", path, c.holder)
		if got := holder.line(); got != "ok" {
			t.Fatalf("holder: %s", got)
		}
		start := time.Now()
		f, err := dbfile.Open(path, dbfile.Options{ReadOnly: c.ro})
		if errors.Is(err, driver.ErrLocked) != c.locked || !c.locked && err != nil {
			t.Errorf("held %s, read-only %v: %v", c.holder, c.ro, err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("took %v", d)
		}
		if f != nil {
			_ = f.Close()
		}
		if err := holder.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = holder.cmd.Wait()
		_ = heldFile(t, path, dbfile.Options{}).Close()
	}
}

// A creator that is killed at any step leaves no file or a whole one, and the
// next open works and cleans up.
func TestProcessKilledWhileCreating(t *testing.T) {
	for _, step := range []string{"temp", "built", "linked"} {
		path := filepath.Join(t.TempDir(), "a.db")
		c := spawn(t, "die", path, step)
		if got := c.line(); got != "" {
			t.Fatalf("%s: the child lived: %s", step, got)
		}
		_ = c.cmd.Wait()
		if _, err := os.Lstat(path); (err == nil) != (step == "linked") {
			t.Errorf("%s: the file: %v", step, err)
		}
		_ = heldFile(t, path, dbfile.Options{}).Close()
		if names := dirNames(t, filepath.Dir(path)); len(names) != 1 {
			t.Errorf("%s: left behind: %v", step, names)
		}
	}
}

// Of processes that race to create one file, one holds it and the others are
// told that it is locked.
func TestProcessCreateRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	var cs []*child
	for range 3 {
		cs = append(cs, spawn(t, "race", path, ""))
	}
	for _, c := range cs {
		_ = c.in.Close()
	}
	got := map[string]int{}
	for _, c := range cs {
		got[c.line()]++
	}
	if got["ok"] != 1 || got["locked"] != 2 {
		t.Errorf("outcomes: %v", got)
	}
}

// A process that is killed while it compacts leaves the old file or the new
// one, whole.
func TestProcessKilledWhileCompacting(t *testing.T) {
	path := filled(t, 60)
	for _, step := range []string{"compacted", "renamed"} {
		c := spawn(t, "compact", path, step)
		if got := c.line(); got != "" {
			t.Fatalf("%s: the child lived: %s", step, got)
		}
		_ = c.cmd.Wait()
		if names := dirNames(t, filepath.Dir(path)); len(names) != 1 && step == "renamed" {
			t.Errorf("%s: left behind: %v", step, names)
		}
		if _, err := Verify(ctx, path, nil); err != nil {
			t.Errorf("%s: %v", step, err)
		}
		d, err := Open(path, Options{})
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if n := getAll(t, d, 60); n != 51 {
			t.Errorf("%s: %d records, want 51", step, n)
		}
		_ = d.Close()
		if names := dirNames(t, filepath.Dir(path)); len(names) != 1 {
			t.Errorf("%s: still there: %v", step, names)
		}
	}
}
