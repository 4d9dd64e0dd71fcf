package dbfile

import "syscall"

// windowsDiskFull is ERROR_DISK_FULL.
const windowsDiskFull = syscall.Errno(112)
