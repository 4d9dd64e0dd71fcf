// Package mountns runs tests in their own mount namespace. Nobody else sees
// their mounts, which disappear however the tests end.
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

// env is set if the tests already run in their own namespace.
const env = "SESHAT_MOUNTNS"

// Run runs the tests and returns the exit status. If this process may create a
// mount namespace, Run uses a child process in a new one.
func Run(m *testing.M) int {
	exe, err := os.Executable()
	if Own() || os.Geteuid() != 0 || err != nil {
		return m.Run()
	}
	runtime.LockOSThread() // the end of this thread would trigger Pdeathsig
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

// Own reports whether the tests have their own mount namespace.
func Own() bool { return os.Getenv(env) != "" }
