package seshat

import (
	"context"
	"io"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
)

// Backup writes a copy of the store to w, beside other calls: one durable
// snapshot that holds everything acknowledged before the call, as a file that
// [Open] opens. It returns the bytes written. The caller syncs w; [Verify]
// proves the copy. While it runs the file may grow, as pages that the copy
// needs are not used again. Free pages are copied too, and so may bytes of what
// was erased: [Store.Compact] before it leaves none.
//
// errors.ErrUnsupported: the engine has no backup. ErrClosed, or the error of
// w or ctx.
func (s *Store) Backup(ctx context.Context, w io.Writer) (int64, error) {
	const op = "Backup"
	if err := checkContext(ctx); err != nil {
		return 0, &Error{Op: op, Err: err}
	}
	if w == nil {
		return 0, &Error{Op: op, Err: invalid("w", "is nil")}
	}
	b, ok := s.d.(driver.Backuper)
	if !ok {
		return 0, &Error{Op: op, Err: s.unsupported()}
	}
	n, err := b.Backup(ctx, w)
	return n, wrapStoreError(op, err)
}

// Compact makes the store's file smaller: it reclaims what was erased, copies
// what is in use, and puts the copy in the file's place. Other calls wait while
// it copies. Whatever happens, the file is the old one or the new one, whole.
// It returns the sizes in bytes before and after the copy. A sweep or an erasure
// that runs is waited for.
//
// errors.ErrUnsupported: the engine, or the platform, cannot. ErrUnknown: a
// loss of power decides which of the two it is. ErrReadOnly, ErrClosed, or the
// context's error.
func (s *Store) Compact(ctx context.Context) (before, after int64, err error) {
	const op = "Compact"
	if err := checkContext(ctx); err != nil {
		return 0, 0, &Error{Op: op, Err: err}
	}
	c, ok := s.d.(driver.Compacter)
	if !ok {
		return 0, 0, &Error{Op: op, Err: s.unsupported()}
	}
	if err = s.reclaimAll(ctx); err == nil {
		before, after, err = c.Compact(ctx)
	}
	return before, after, wrapStoreError(op, err)
}

// RestoreBackup makes the file at dst of the backup at src, which is verified
// whole before. Until the copy is complete and durable there is no dst.
//
// fs.ErrExist: dst is there, and is left as it is. ErrCorrupt, ErrFormat,
// ErrLocked, or the context's error.
func RestoreBackup(ctx context.Context, src, dst string) error {
	if err := checkContext(ctx); err != nil {
		return &Error{Op: "RestoreBackup", Err: err}
	}
	return wrapStoreError("RestoreBackup", boltdriver.Restore(ctx, src, dst))
}

// Verify reads all of a store's file, which no process may have open, and
// changes nothing: the structure of every page, every checksum, every index
// entry against its record, and the counters. The report says what is wrong
// where the error is ErrCorrupt.
//
// ErrCorrupt, ErrFormat, ErrLocked, or the context's error.
func Verify(ctx context.Context, path string) (boltdriver.Report, error) {
	if err := checkContext(ctx); err != nil {
		return boltdriver.Report{}, &Error{Op: "Verify", Err: err}
	}
	r, err := boltdriver.Verify(ctx, path, nil)
	return r, wrapStoreError("Verify", err)
}

// Salvage saves what is left of a damaged file at src into a new one at dst,
// and never changes src. Every checksum is verified, so what comes out is what
// went in once; indexes and counters are made anew. The report counts what is
// whole, uncertain and lost.
//
// fs.ErrExist: dst is there, and is left as it is. ErrFormat: src is no store.
// ErrLocked, or the context's error.
func Salvage(ctx context.Context, src, dst string) (boltdriver.SalvageReport, error) {
	if err := checkContext(ctx); err != nil {
		return boltdriver.SalvageReport{}, &Error{Op: "Salvage", Err: err}
	}
	r, err := boltdriver.Salvage(ctx, src, dst, nil)
	return r, wrapStoreError("Salvage", err)
}
