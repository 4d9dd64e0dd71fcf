package dbfile

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	berrors "go.etcd.io/bbolt/errors"
)

// IsFull reports whether a commit failed for want of space, before anything
// that counts was written. An error of a sync is not among them: it says
// nothing about what reached the disk.
func IsFull(err error) bool {
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		return true
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Op == "write" && isFullCode(path.Err)
	}
	// The engine hides the cause of a failed truncate in text.
	text, ok := strings.CutPrefix(err.Error(), "file resize error: ")
	if !ok {
		return false
	}
	for _, code := range fullCodes {
		if strings.HasSuffix(text, code.Error()) {
			return true
		}
	}
	return false
}

func isFullCode(err error) bool {
	for _, code := range fullCodes {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

var fullCodes = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, errWindowsDiskFull}
