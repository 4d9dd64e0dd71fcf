//go:build !windows

package dbfile

import "syscall"

// errWindowsDiskFull never occurs here.
const errWindowsDiskFull = syscall.ENOSPC
