package dbfile

import "syscall"

// errWindowsDiskFull is ERROR_DISK_FULL.
const errWindowsDiskFull = syscall.Errno(112)
