package dbfile

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

var (
	kernel32     = syscall.NewLazyDLL("kernel32.dll")
	lockFileEx   = kernel32.NewProc("LockFileEx")
	unlockFileEx = kernel32.NewProc("UnlockFileEx")
)

const (
	failImmediately = 1
	exclusive       = 2
	lockViolation   = syscall.Errno(33)
)

// lockRange is the byte before the one that bbolt locks: a handle cannot lock
// the same byte twice there.
func lockRange() *syscall.Overlapped {
	return &syscall.Overlapped{Offset: 1<<32 - 2, OffsetHigh: 1<<32 - 1}
}

func lockHandle(f *os.File, shared bool) (bool, error) {
	how := uintptr(failImmediately)
	if !shared {
		how |= exclusive
	}
	r, _, err := lockFileEx.Call(f.Fd(), how, 0, 1, 0, uintptr(unsafe.Pointer(lockRange())))
	if r != 0 {
		return true, nil
	}
	if errors.Is(err, lockViolation) {
		return false, nil
	}
	return false, err
}

func unlockHandle(f *os.File) error {
	r, _, err := unlockFileEx.Call(f.Fd(), 0, 1, 0, uintptr(unsafe.Pointer(lockRange())))
	if r != 0 {
		return nil
	}
	return err
}
