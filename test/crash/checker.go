package crash

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"time"
)

// checker is a process that opens images, because an image could crash it or
// make it hang.
type checker struct {
	path string
	w    *work
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
}

// hang is the time limit for checking one image.
const hang = time.Minute

// check asks about the image at c.path.
func (c *checker) check(q question) (a reply, err error) {
	if c.cmd == nil {
		if err := c.start(); err != nil {
			return a, err
		}
	}
	_ = json.NewEncoder(c.in).Encode(q) // if it is dead, that shows below
	timer := time.AfterFunc(hang, func() { _ = c.cmd.Process.Kill() })
	err = c.out.Decode(&a)
	if !timer.Stop() {
		c.stop()
		return reply{Bad: "the process hangs"}, nil
	}
	if err != nil {
		c.stop()
		return reply{Bad: "the process died"}, nil
	}
	return a, nil
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
	c.out = json.NewDecoder(out)
	return c.cmd.Start()
}

func (c *checker) stop() {
	if c.cmd != nil {
		_ = c.in.Close()
		_ = c.cmd.Wait()
		c.cmd = nil
	}
}
