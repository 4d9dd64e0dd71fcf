package peer

import (
	"os"
	"syscall"
)

// syncData makes what was written durable, but not the file's times.
func syncData(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
