package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// outFile is a file that appears under its name when it is complete and
// durable.
type outFile struct {
	*os.File
	path  string
	force bool
}

// createOut begins a file. It returns fs.ErrExist if the file exists and force
// is false.
func createOut(path string, force bool) (*outFile, error) {
	if _, err := os.Lstat(path); err == nil && !force {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.part")
	if err != nil {
		return nil, err
	}
	return &outFile{File: f, path: path, force: force}, nil
}

// commit gives the file its name, or removes it if err is not nil.
func (o *outFile) commit(err error) error {
	if err == nil {
		err = o.Sync()
	}
	if e := o.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = o.place()
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(o.Name())))
	}
	return syncDir(filepath.Dir(o.path))
}

// place renames the file. A hard link never replaces a file that appeared in
// the meantime; without hard links, place looks for one first.
func (o *outFile) place() error {
	if !o.force {
		err := os.Link(o.Name(), o.path)
		if err == nil {
			return os.Remove(o.Name())
		}
		if _, e := os.Lstat(o.path); e == nil {
			return fmt.Errorf("%s: %w", o.path, fs.ErrExist)
		}
	}
	return os.Rename(o.Name(), o.path)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writeOut writes to a new file, or to standard output if path is "-".
func (a *app) writeOut(path string, force bool, fn func(io.Writer) error) error {
	if path == "-" {
		if _, ok := terminal(a.out); ok {
			return usagef("will not write this to a terminal: give a file, or redirect the output")
		}
		return fn(a.out)
	}
	f, err := createOut(path, force)
	if err != nil {
		return err
	}
	return f.commit(fn(f))
}
