//go:build !windows

package dbfile

import "syscall"

// windowsDiskFull never occurs here.
const windowsDiskFull = syscall.ENOSPC
