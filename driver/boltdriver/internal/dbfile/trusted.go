package dbfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
)

// rewriteMeta writes the newest meta page again, unchanged, and syncs it. After
// a kill inside a commit that page may be in the page cache only: the next
// commit would reuse pages that the meta page on disk still needs, and a power
// cut would then leave a corrupt file. The other meta page is the fallback, and
// stays as it is. As commits do, sync may leave out the file's times.
func rewriteMeta(f interface {
	io.ReaderAt
	io.WriterAt
}, sync func() error,
) error {
	m, err := format.ReadMetas(f)
	if err != nil {
		return err
	}
	off := int64(format.NewestMeta(m).Page) * format.PageSize
	b := make([]byte, format.PageSize)
	if _, err := f.ReadAt(b, off); err != nil {
		return err
	}
	if _, err := f.WriteAt(b, off); err != nil {
		return err
	}
	return sync()
}

// probeSize is how much of a meta page is of interest; of the list of free
// pages it is less.
const probeSize = format.HeaderSize + format.MetaSize

// CheckTrusted reads what the engine trusts when it begins and ends a
// transaction: the meta page of the last commit, and the head of the list of
// free pages. What goes bad there while the file is open would take the engine
// back to an earlier commit, or keep it busy for ever.
func (f *File) CheckTrusted(committed int64) error {
	page := uint64(committed) % 2
	bad := func(page uint64, what string, args ...any) error {
		return &fsck.DamageError{Problems: []fsck.Problem{{Page: page, Bucket: "", What: fmt.Sprintf(what, args...)}}}
	}
	if _, err := f.Handle.ReadAt(f.probe[:], int64(page)*format.PageSize); err != nil {
		return unreadable(err)
	}
	m := format.ParseMeta(f.probe[:], page)
	if !m.Sound || m.TxID != uint64(committed) {
		return bad(page, "meta page is not that of transaction %d", committed)
	}
	if m.Freelist < 2 || m.Freelist >= m.InUse {
		return bad(page, "the list of free pages is page %d of %d", m.Freelist, m.InUse)
	}
	b := f.probe[:format.HeaderSize+8]
	if _, err := f.Handle.ReadAt(b, int64(m.Freelist)*format.PageSize); err != nil {
		return unreadable(err)
	}
	pages := uint64(binary.LittleEndian.Uint32(b[12:])) + 1
	if binary.LittleEndian.Uint64(b) != m.Freelist || binary.LittleEndian.Uint16(b[8:]) != format.FlagFreelist ||
		pages > m.InUse-m.Freelist || !fsck.ListFits(b, pages*format.PageSize) {
		return bad(m.Freelist, "is no list of free pages")
	}
	return nil
}

// unreadable tells a file that was cut short from one that does not answer.
func unreadable(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file was cut short", driver.ErrCorrupt)
	}
	return fmt.Errorf("%w: %w", driver.ErrFailed, err)
}
