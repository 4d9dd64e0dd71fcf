package boltdriver

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/seshatdb/seshat/driver"
)

var _ driver.Compacter = (*Driver)(nil)

// Compact copies the file without its free pages and puts the copy in its
// place. Calls wait meanwhile. If it fails, or the process or the machine
// does, the file is the old one or the new one, whole; ErrUnknown says that a
// loss of power decides which, and until the file is opened again nothing more
// is written. The sizes before and after are in bytes. errors.ErrUnsupported:
// Windows, which replaces no open file.
func (d *Driver) Compact(ctx context.Context) (before, after int64, err error) {
	switch {
	case d.caps.ReadOnly:
		return 0, 0, driver.ErrReadOnly
	case runtime.GOOS == "windows":
		return 0, 0, errors.ErrUnsupported
	}
	free, err := d.copyAlone(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer free()
	err = d.runExclusive(ctx, func() error {
		before = d.file.Size()
		after = before
		next, err := d.file.CompactCopy(ctx, d.options.forFile())
		if err != nil {
			return fmt.Errorf("compact %s: %w", d.file.Path, err)
		}
		old := d.file
		d.file = next
		after = next.Size()
		if err := next.Broken; err != nil {
			return errors.Join(fmt.Errorf("%w: compact %s: %w", driver.ErrUnknown, next.Path, err), old.Close())
		}
		return old.Close()
	})
	return before, after, err
}
