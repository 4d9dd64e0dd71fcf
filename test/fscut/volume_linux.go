package fscut

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// kind is a kind of file system and the way to create and mount it.
type kind struct {
	name string
	fs   string
	mkfs string
	with string // mount options
	size int64
}

// kinds are the file systems under test.
var kinds = []kind{
	{name: "ext4", fs: "ext4", mkfs: "-q -F -E nodiscard", size: 64 << 20},
	{name: "ext4, data=writeback", fs: "ext4", mkfs: "-q -F -E nodiscard", with: "data=writeback", size: 64 << 20},
	{name: "ext4, blocks of 1 KiB", fs: "ext4", mkfs: "-q -F -E nodiscard -b 1024", size: 64 << 20},
	{name: "XFS", fs: "xfs", mkfs: "-q -f -K", size: 320 << 20},
}

// volume is a file system in an image on a loop device. The kernel removes the
// device with the mount.
type volume struct {
	kind
	image   string
	dir     string
	mounted bool
}

// errNoVolume means that this machine cannot create or mount such a file
// system.
var errNoVolume = errors.New("no such file system here")

// newVolume creates a file system in an image and mounts it at dir.
func newVolume(k kind, image, dir string) (*volume, error) {
	v := &volume{kind: k, image: image, dir: dir}
	if err := v.makeImage(); err != nil {
		return nil, err
	}
	if err := command("mkfs."+k.fs, append(strings.Fields(k.mkfs), image)...); err != nil {
		return nil, errors.Join(errNoVolume, err)
	}
	if err := v.mount(); err != nil {
		return nil, errors.Join(errNoVolume, err)
	}
	return v, nil
}

// makeImage creates a file of the volume's size that keeps its name.
func (v *volume) makeImage() error {
	f, err := os.OpenFile(v.image, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(v.size), f.Sync(), f.Close()); err != nil {
		return err
	}
	return syncDir(filepath.Dir(v.image))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// mount mounts the file system, which recovers it.
func (v *volume) mount() error {
	err := command("mount", "-t", v.fs, "-o", strings.TrimPrefix(v.with+",loop", ","), v.image, v.dir)
	v.mounted = err == nil
	return err
}

// unmount removes the mount, if there is one, when it is no longer in use.
func (v *volume) unmount() (err error) {
	if !v.mounted {
		return nil
	}
	for range 1000 {
		if err = syscall.Unmount(v.dir, 0); !errors.Is(err, syscall.EBUSY) {
			v.mounted = err != nil
			return err
		}
		<-time.After(time.Millisecond)
	}
	return err
}

// path returns the path of the store.
func (v *volume) path() string { return filepath.Join(v.dir, "seshat.db") }

// remove removes the store durably, so that a loss of power cannot restore it.
func (v *volume) remove() error {
	if err := os.Remove(v.path()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return syncDir(v.dir)
}
