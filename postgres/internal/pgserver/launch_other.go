//go:build !linux

package pgserver

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
)

func unprivileged(string) (*syscall.SysProcAttr, error) {
	return nil, fmt.Errorf("%w: on %s the tests do not know how", ErrMissing, runtime.GOOS)
}

func launch(cmd *exec.Cmd, gone chan<- struct{}) error {
	defer close(gone)
	return cmd.Run()
}
