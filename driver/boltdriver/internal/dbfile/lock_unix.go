//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package dbfile

import (
	"errors"
	"os"
	"syscall"
)

// lockHandle takes the lock that bbolt itself takes. It belongs to the open
// handle, so bbolt locks it again without harm once it is given that handle.
func lockHandle(f *os.File, shared bool) (bool, error) {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, err
		}
	}
}

func unlockHandle(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
}
