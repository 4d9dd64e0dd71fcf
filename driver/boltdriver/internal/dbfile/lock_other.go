//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly && !windows

package dbfile

import (
	"errors"
	"os"
)

// A store that cannot be locked is not opened.
func lockHandle(*os.File, bool) (bool, error) { return false, errors.ErrUnsupported }

func unlockHandle(*os.File) error { return nil }
