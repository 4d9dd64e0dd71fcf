package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

// The processes that a test starts are the test's own program again, with this
// variable set to what it is to be: see Child.
const envChild = "SESHAT_CRASH_CHILD"

// Child does what the environment asks of a child process, and reports whether
// it asked for anything.
//
//	write PATH SEED GROW FROM TO   do these steps, and say "A n" for each
//	check PATH SEED GROW QUIET     answer each line, a question, with what is wrong
func Child() bool {
	args := strings.Fields(os.Getenv(envChild))
	if len(args) < 5 {
		return false
	}
	w := &work{seed: number(args[2]), grow: args[3] == "true"}
	switch args[0] {
	case "check":
		w.quiet = args[4] == "true"
		checkImages(args[1], w)
	case "write":
		writeSteps(args[1], w, int(number(args[4])), int(number(args[5])))
	}
	return true
}

func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// child returns the command of a child process.
func child(task string, path string, w *work, more ...any) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	text := fmt.Sprintln(append([]any{task, path, w.seed, w.grow}, more...)...)
	cmd.Env = append(os.Environ(), envChild+"="+strings.TrimSpace(text))
	return cmd, nil
}

// writeSteps is the process whose power is cut. What it finds when it has
// opened the file is durable, and so acknowledged too. A step that fails is
// made once more, unless the store says that it takes no more writes.
func writeSteps(path string, w *work, from, to int) {
	ctx := context.Background()
	w.at(from)
	s, err := seshat.Open(path, w.options())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Printf("A %d\n", from-1)
	for n := from; n <= to; n++ {
		err := w.do(ctx, s, n)
		if err != nil {
			fmt.Printf("E %d %s\n", n, nature(err))
			again := w.do(ctx, s, n)
			if errors.Is(err, seshat.ErrUnknown) != errors.Is(again, seshat.ErrFailed) {
				fmt.Printf("E %d %s\n", n, natureWrong)
			}
			err = again
		}
		if err != nil {
			break
		}
		fmt.Printf("A %d\n", n)
	}
	_ = s.Close()
}

// The natures of a failure that a writer meets. natureWrong: the store does
// not stop after an unknown outcome, or stops after another.
const (
	natureUnknown = "unknown"
	natureRefused = "refused"
	natureWrong   = "wrong"
)

func nature(err error) string {
	if errors.Is(err, seshat.ErrUnknown) {
		return natureUnknown
	}
	return natureRefused
}

// question is what is asked of an image: the first acked steps were
// acknowledged; is it right, and if goOn, does it stay so when work goes on?
type question struct {
	acked int
	goOn  bool
}

// checkImages answers each question with one line about the image that is at
// path then.
func checkImages(path string, w *work) {
	debug.SetGCPercent(800) // of a heap of a few megabytes
	ref, err := newReference(&work{seed: w.seed, grow: w.grow})
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		var q question
		if _, err := fmt.Scan(&q.acked, &q.goOn); err != nil {
			return
		}
		answer := verify(context.Background(), path, w, ref, q)
		fmt.Println("=" + strings.ReplaceAll(answer, "\n", " "))
	}
}

// checker is a process that opens images: one may end or hang it.
type checker struct {
	path string
	w    *work
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// hang is how long an image may be looked at.
const hang = time.Minute

// check returns what is wrong with the image at c.path, or "".
func (c *checker) check(q question) (string, error) {
	if c.cmd == nil {
		if err := c.start(); err != nil {
			return "", err
		}
	}
	fmt.Fprintln(c.in, q.acked, q.goOn)
	timer := time.AfterFunc(hang, func() { _ = c.cmd.Process.Kill() })
	line, err := c.out.ReadString('\n')
	if !timer.Stop() {
		c.stop()
		return "the process hangs", nil
	}
	if err != nil {
		c.stop()
		return "the process died", nil
	}
	answer, ok := strings.CutPrefix(strings.TrimSpace(line), "=")
	if !ok {
		return "", fmt.Errorf("the checker says %q", line)
	}
	return answer, nil
}

func (c *checker) start() (err error) {
	if c.cmd, err = child("check", c.path, c.w, c.w.quiet); err != nil {
		return err
	}
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	c.out = bufio.NewReader(out)
	return c.cmd.Start()
}

func (c *checker) stop() {
	if c.cmd != nil {
		_ = c.in.Close()
		_ = c.cmd.Wait()
		c.cmd = nil
	}
}
