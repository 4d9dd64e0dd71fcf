//go:build !linux

package boltdriver

import "os"

// isRemote is known on Linux only.
func isRemote(*os.File) bool { return false }
