package dbfile

import (
	"io/fs"
	"os"
)

// Paths returns the paths of the files that a store at path consists of, the
// engine's own first. It is one file today; a journal would be the second.
// What copies, checks or refuses a store goes by this list.
func Paths(path string) []string { return []string{path} }

// CheckAbsent returns an error that wraps fs.ErrExist if one of the files of a
// store at path exists. op is the operation that it names.
func CheckAbsent(op, path string) error {
	for _, p := range Paths(path) {
		if _, err := os.Lstat(p); err == nil {
			return &os.PathError{Op: op, Path: p, Err: fs.ErrExist}
		}
	}
	return nil
}

// Handles returns the open files that the store consists of, as Paths has them.
func (f *File) Handles() []*os.File { return []*os.File{f.Handle} }

// Size returns the size of all files of the store, in bytes. A file whose size
// cannot be told counts as empty.
func (f *File) Size() (sum int64) {
	for _, h := range f.Handles() {
		sum += fileSize(h)
	}
	return sum
}
