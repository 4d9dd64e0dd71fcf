package boltdriver

import (
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// verify is the check before the file is mapped.
func (f *file) verify(o Options) error {
	m, err := readMetas(f.f)
	if err != nil {
		return err
	}
	if !m[0].sound && !m[1].sound {
		return fmt.Errorf("%w: no valid meta page", driver.ErrFormat)
	}
	if size := fileSize(f.f); newest(m).high*pageSize > uint64(size) {
		return fmt.Errorf("%w: cut short", driver.ErrCorrupt)
	}
	return nil
}
