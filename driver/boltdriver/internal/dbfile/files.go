package dbfile

import (
	"io/fs"
	"os"
)

// Paths returns the paths of all files of a store at path, the engine's own
// first. Today that is one file; a journal would be the second. Code that
// copies, checks or refuses a store uses this list.
func Paths(path string) []string { return []string{path} }

// CheckAbsent returns an error that wraps fs.ErrExist and names op, if one of
// the files of a store at path exists.
func CheckAbsent(op, path string) error {
	for _, p := range Paths(path) {
		if _, err := os.Lstat(p); err == nil {
			return &os.PathError{Op: op, Path: p, Err: fs.ErrExist}
		}
	}
	return nil
}

// Handles returns the open files of the store, in the order of Paths.
func (f *File) Handles() []*os.File { return []*os.File{f.Handle} }

// Size returns the size of all files of the store, in bytes. A file whose size
// cannot be read counts as empty.
func (f *File) Size() (sum int64) {
	for _, h := range f.Handles() {
		sum += fileSize(h)
	}
	return sum
}
