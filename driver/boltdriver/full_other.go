//go:build !windows

package boltdriver

import "syscall"

// windowsDiskFull never occurs here.
const windowsDiskFull = syscall.ENOSPC
