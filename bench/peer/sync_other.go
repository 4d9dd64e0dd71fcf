//go:build !linux

package peer

import "os"

// syncData makes written data durable.
func syncData(f *os.File) error { return f.Sync() }
