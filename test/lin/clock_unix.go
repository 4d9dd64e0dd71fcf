//go:build unix

package lin

import (
	"os"
	"syscall"
	"unsafe"
)

// MapClock maps the clock in a file, which it creates if necessary. free ends
// the mapping.
func MapClock(path string) (c *Clock, free func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	size := int(unsafe.Sizeof(Clock{}))
	if err := f.Truncate(int64(size)); err != nil {
		return nil, nil, err
	}
	page, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return (*Clock)(unsafe.Pointer(&page[0])), func() error { return syscall.Munmap(page) }, nil
}
