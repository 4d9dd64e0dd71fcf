//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package dbfile

import "os"

const noFollow = 0

func isLinkRefusal(error) bool { return false }

func canMap(*os.File, int64) bool { return false }

// These platforms have neither permission bits nor directory syncs.
func tighten(*os.File) error { return nil }

func syncDir(string) error { return nil }
