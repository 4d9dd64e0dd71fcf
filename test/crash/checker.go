package crash

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

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
	if c.cmd, err = child(task{Do: "check", Path: c.path}, c.w); err != nil {
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
