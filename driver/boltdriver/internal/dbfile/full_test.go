package dbfile

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	berrors "go.etcd.io/bbolt/errors"
)

// Not every error of a full disk is harmless: a failed sync says nothing about
// what reached the disk.
func TestIsFull(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{berrors.ErrMaxSizeReached, true},
		{&fs.PathError{Op: "write", Err: syscall.EFBIG}, true},
		{&fs.PathError{Op: "sync", Err: syscall.ENOSPC}, false},
		{&fs.PathError{Op: "write", Err: syscall.EIO}, false},
		{syscall.ENOSPC, false},
		{errors.New("file resize error: truncate: " + syscall.EIO.Error()), false},
		{errors.New("file sync error: " + syscall.ENOSPC.Error()), false},
	} {
		if got := IsFull(c.err); got != c.want {
			t.Errorf("isFull(%v) is %v", c.err, got)
		}
	}
}
