package fscut

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

const (
	goingDown  = 0x8004587D // ioctl of ext4 and XFS
	noLogFlush = 2
)

// shutDown stops the file system like a loss of power: it never writes its
// pending data and log.
func (v *volume) shutDown() error {
	d, err := os.Open(v.dir)
	if err != nil {
		return err
	}
	flags := uint32(noLogFlush)
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, d.Fd(), goingDown, uintptr(unsafe.Pointer(&flags)))
	if errno != 0 {
		return errors.Join(errno, d.Close())
	}
	return d.Close()
}
