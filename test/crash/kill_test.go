package crash

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

// Variables that make a test of this file the other process of itself.
const (
	envKilled = "SESHAT_TEST_KILLED" // file to write until killed
	envRound  = "SESHAT_TEST_ROUND"
	envSecond = "SESHAT_TEST_SECOND" // file to open although it is open
)

// rerun returns a command that runs the test again in another process, with
// these variables set.
func rerun(t *testing.T, vars ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), vars...)
	cmd.Stderr = os.Stderr
	return cmd
}

// A session of the loop lives through these steps; one in three is deleted.
const (
	stepCreated = 1 + iota
	stepUpdated
	stepAppended
	stepDeleted
)

const killWriters = 4

// killFile is the number of kills of one file before the test begins the next.
// Otherwise the growing file would make each kill slower.
const killFile = 40

// Promise: a process that is killed while it writes or opens the file loses no
// acknowledged write and leaves no partial one, even if the next process is
// killed before it has read anything. SESHAT_KILLS sets the number of kills.
// The default is 10.
func TestKillLoop(t *testing.T) {
	if path := os.Getenv(envKilled); path != "" {
		writeUntilKilled(t, path, os.Getenv(envRound))
		return
	}
	kills, err := strconv.Atoi(os.Getenv("SESHAT_KILLS"))
	if err != nil {
		kills = 10
	}
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	sessions := 0
	for done := 0; done < kills; done += killFile {
		sessions += killOneFile(t, min(killFile, kills-done), r)
	}
	t.Logf("%d kills, %d sessions acknowledged", kills, sessions)
}

// killOneFile kills that many writers of one file and returns the number of
// sessions that they acknowledged.
func killOneFile(t *testing.T, kills int, r *rand.Rand) int {
	path := filepath.Join(killDir(t), "seshat.db")
	acked := map[string]int{}
	unseen := map[string]int{}
	for round := range kills {
		maps.Copy(unseen, killed(t, path, round, r))
		if round%4 == 3 || r.IntN(3) > 0 { // else the next process is the first to see what is left
			verifyKilled(t, path, unseen)
			maps.Copy(acked, unseen)
			clear(unseen)
		}
	}
	maps.Copy(acked, unseen)
	verifyKilled(t, path, acked)
	return len(acked)
}

// killDir returns a directory in memory, if possible: syncs there are cheap,
// and a kill loses nothing that a sync would save.
func killDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "seshat-kill-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// killed runs the writer until it has acknowledged up to 200 steps, or in one
// of eight rounds for up to 15 ms. Then it kills the writer and returns the
// last acknowledged step of each session.
func killed(t *testing.T, path string, round int, r *rand.Rand) map[string]int {
	t.Helper()
	steps := r.IntN(200)
	cmd := rerun(t, envKilled+"="+path, envRound+"="+strconv.Itoa(round))
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if r.IntN(8) == 0 {
		defer time.AfterFunc(time.Duration(r.IntN(15_000))*time.Microsecond, func() { _ = cmd.Process.Kill() }).Stop()
	}
	acked := map[string]int{}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		id, step, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "ack "), " ")
		if !ok || !strings.HasPrefix(lines.Text(), "ack ") {
			t.Errorf("round %d: the writer says %q", round, lines.Text())
		}
		if acked[id], err = strconv.Atoi(step); err != nil {
			t.Error(err)
		}
		if n == steps {
			_ = cmd.Process.Kill()
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatalf("round %d: the writer ended by itself", round)
	}
	return acked
}

// verifyKilled checks the file that a killed writer left.
func verifyKilled(t *testing.T, path string, acked map[string]int) {
	t.Helper()
	s, err := seshat.Open(path, seshat.Options{SweepEvery: seshat.Never})
	must(t, err)
	tenant, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	must(t, err)
	for id, step := range acked {
		got := stepOf(t, tenant, id)
		if got == 0 && deletes(id) {
			got = stepDeleted
		}
		if got != step && got != step+1 {
			t.Errorf("%s: step %d was acknowledged, but it is at step %d", id, step, got)
		}
	}
	report, err := s.Check(t.Context())
	must(t, err)
	for _, f := range report.Findings {
		t.Errorf("check: %s: %s", f.Where, f.What)
	}
	must(t, s.Close())
	if t.Failed() {
		t.FailNow()
	}
}

// deletes reports whether the session's life ends with its deletion.
func deletes(id string) bool {
	n, err := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:])
	return err == nil && n%3 == 0
}

// stepOf returns the last step of a session. 0 means that there is no session.
func stepOf(t *testing.T, tenant *seshat.Tenant, id string) int {
	t.Helper()
	s, err := tenant.Get(t.Context(), id)
	if errors.Is(err, seshat.ErrNotFound) {
		return 0
	}
	must(t, err)
	if whole := s.Name == id || s.Version == 1 && s.Name == ""; !whole {
		t.Errorf("%s is half updated: version %d, name %q", id, s.Version, s.Name)
	}
	return int(s.Version) + int(s.MessageCount)
}

// writeUntilKilled writes sessions until it is killed. It runs in the other
// process.
func writeUntilKilled(t *testing.T, path, round string) {
	s, err := seshat.Open(path, seshat.Options{})
	must(t, err)
	tenant, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"})
	must(t, err)
	var wg sync.WaitGroup
	for w := range killWriters {
		wg.Go(func() {
			for n := 0; ; n++ {
				if err := live(t, tenant, fmt.Sprintf("%s-%d-%d", round, w, n)); err != nil {
					fmt.Println(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// live makes the steps of one session and acknowledges each.
func live(t *testing.T, tenant *seshat.Tenant, id string) error {
	ctx := t.Context()
	steps := []func() error{
		func() error { return only(tenant.Create(ctx, seshat.NewSession{ID: id, UserID: id})) },
		func() error {
			return only(tenant.Update(ctx, id, func(s *seshat.Session) error {
				s.Name = id
				return nil
			}, seshat.UpdateOptions{}))
		},
		func() error {
			return only(tenant.Append(ctx, id, seshat.Message{Role: seshat.RoleUser, Content: "hello"}))
		},
		func() error { return only(tenant.Delete(ctx, id)) },
	}
	if !deletes(id) {
		steps = steps[:stepAppended]
	}
	for i, step := range steps {
		if err := step(); err != nil {
			return err
		}
		fmt.Printf("ack %s %d\n", id, i+stepCreated)
	}
	return nil
}

// Promise: a second process that opens the file gets an error within a second,
// and can open the file when the first has closed it.
func TestSecondProcess(t *testing.T) {
	if path := os.Getenv(envSecond); path != "" {
		fmt.Println(secondOpen(t, path))
		return
	}
	path := filepath.Join(t.TempDir(), "seshat.db")
	s, err := seshat.Open(path, seshat.Options{})
	must(t, err)
	if got := secondOpen(t, path); got != "locked" {
		t.Errorf("a second handle of this process: %s", got)
	}
	inChild := func() string {
		out, err := rerun(t, envSecond+"="+path).Output()
		must(t, err)
		word, _, _ := strings.Cut(string(out), "\n")
		return word
	}
	if got := inChild(); got != "locked" {
		t.Errorf("a second process: %s", got)
	}
	if _, err := s.EnsureTenant(t.Context(), seshat.Namespace{Name: "t"}); err != nil {
		t.Errorf("the first one, afterwards: %v", err)
	}
	must(t, s.Close())
	if got := inChild(); got != "opened" {
		t.Errorf("a second process, when the first has closed: %s", got)
	}
}

// secondOpen returns the outcome of another process that opens the file.
func secondOpen(t *testing.T, path string) string {
	t.Helper()
	began := time.Now()
	s, err := seshat.Open(path, seshat.Options{})
	took := time.Since(began)
	switch {
	case err == nil:
		must(t, s.Close())
		return "opened"
	case !errors.Is(err, seshat.ErrLocked):
		return err.Error()
	case took > time.Second:
		return fmt.Sprintf("locked, after %v", took)
	}
	return "locked"
}

// must ends the test if err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// only drops the result of a call that is made for its error.
func only[T any](_ T, err error) error { return err }
