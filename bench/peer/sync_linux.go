package peer

import (
	"os"
	"syscall"
)

// syncData makes written data durable, but not the file's times.
func syncData(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
