// Package mountns gives tests a mount namespace of their own, so that what they
// mount is seen by nobody else and goes when they end, however they end.
package mountns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// env is set where the tests have their namespace already.
const env = "SESHAT_MOUNTNS"

// Run runs the tests, in a process with a mount namespace of its own if this
// one may make one, and returns the status to exit with.
func Run(m *testing.M) int {
	exe, err := os.Executable()
	if Own() || os.Geteuid() != 0 || err != nil {
		return m.Run()
	}
	runtime.LockOSThread() // with which Pdeathsig would come
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Env = append(os.Environ(), env+"=1")
	cmd.Stdin = os.Stdin
	cmd.Stdout = os.Stdout
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "no mount namespace:", err)
		return m.Run()
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) {
		return max(1, exit.ExitCode())
	} else if err != nil {
		return 1
	}
	return 0
}

// Own reports whether the tests have a mount namespace of their own.
func Own() bool { return os.Getenv(env) != "" }
