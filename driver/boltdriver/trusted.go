package boltdriver

import (
	"errors"
	"fmt"
	"io"

	"github.com/seshatdb/seshat/driver"
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
	m, err := readMetas(f)
	if err != nil {
		return err
	}
	off := int64(newestMeta(m).page) * pageSize
	b := make([]byte, pageSize)
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
const probeSize = headerSize + metaSize

// checkTrusted reads what the engine trusts when it begins and ends a
// transaction: the meta page of the last commit, and the head of the list of
// free pages. What goes bad there while the file is open would take the engine
// back to an earlier commit, or keep it busy for ever.
func (f *file) checkTrusted(committed int64) error {
	page := uint64(committed) % 2
	bad := func(page uint64, what string, args ...any) error {
		return &DamageError{Problems: []Problem{{page, "", fmt.Sprintf(what, args...)}}}
	}
	if _, err := f.f.ReadAt(f.probe[:], int64(page)*pageSize); err != nil {
		return unreadable(err)
	}
	m := parseMeta(f.probe[:], page)
	if !m.sound || m.txid != uint64(committed) {
		return bad(page, "meta page is not that of transaction %d", committed)
	}
	if m.freelist < 2 || m.freelist >= m.high {
		return bad(page, "the list of free pages is page %d of %d", m.freelist, m.high)
	}
	b := f.probe[:headerSize+8]
	if _, err := f.f.ReadAt(b, int64(m.freelist)*pageSize); err != nil {
		return unreadable(err)
	}
	if pages := uint64(littleEndian.Uint32(b[12:])) + 1; littleEndian.Uint64(b) != m.freelist || littleEndian.Uint16(b[8:]) != flagFreelist ||
		pages > m.high-m.freelist || !listFits(b, pages*pageSize) {
		return bad(m.freelist, "is no list of free pages")
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
