package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// outFile is a file that appears under its name once it is whole and durable.
type outFile struct {
	*os.File
	path  string
	force bool
}

// createOut begins a file. fs.ErrExist: it is there, and force is not given.
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

// commit gives the file its name, or removes it if err says that it failed.
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

// place renames the file. A hard link replaces nothing that came meanwhile;
// where there are none, that has to be looked for.
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
			return usagef("a terminal is no place for this: name a file, or redirect the output")
		}
		return fn(a.out)
	}
	f, err := createOut(path, force)
	if err != nil {
		return err
	}
	return f.commit(fn(f))
}
