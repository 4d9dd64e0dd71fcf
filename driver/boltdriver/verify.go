package boltdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// verify checks the locked file before it is mapped: the meta pages and the
// length always, the whole structure, and the indexes against the records,
// unless that is left out or over the limit.
func (f *file) verify(o Options) error {
	size := f.info.Size()
	w := walker{ctx: context.Background(), r: f.f, census: newCensus()}
	if err := w.checkMetas(size); err != nil {
		return err
	}
	if err := w.st.err(); err != nil {
		return err
	}
	if o.SkipVerify || o.overLimit(size) {
		return nil
	}
	warm(f.f, w.high*pageSize)
	if err := w.walk(); err != nil {
		return err
	}
	return w.st.err()
}

func (o *Options) overLimit(size int64) bool {
	limit := o.VerifyLimit
	if limit == 0 {
		limit = DefaultVerifyLimit
	}
	return limit > 0 && size > limit
}

// warm reads the file from end to end, so that the walk, which jumps about,
// finds it in the page cache: many times faster on a cold file. Errors show in
// the walk.
func warm(r io.ReaderAt, size uint64) {
	b := make([]byte, min(1<<20, size))
	for off := uint64(0); off < size; off += uint64(len(b)) {
		if _, err := r.ReadAt(b[:min(uint64(len(b)), size-off)], int64(off)); err != nil {
			return
		}
	}
}

// Report is what Verify found.
type Report struct {
	Size        int64  // bytes
	Transaction uint64 // number of the last commit

	// Pages of 4096 bytes. Leaked ones are neither in use nor free: lost
	// space, not damage.
	Branches, Leaves, Free, Leaked uint64

	Keys     uint64    // in all buckets
	Problems []Problem // of the structure, the first 50
	More     int       // problems beyond those

	// Checked compares the content with itself. It is zero if the structure
	// is damaged.
	Checked driver.Checked
}

func (r *Report) add(st *walkResult) {
	r.Transaction = st.meta.txid
	r.Branches, r.Leaves, r.Free, r.Leaked = st.branches, st.leaves, st.free, st.leaked
	r.Keys, r.Problems, r.More = st.keys, st.problems, st.more
}

// maxFindings bounds Report.Checked.Findings.
const maxFindings = 50

// Verify reads all of the file at path, which no process may have open for
// writing, and changes nothing: its structure with plain reads, and if that is
// sound every checksum, every index entry against its record, and the
// counters. progress, if not nil, hears how much of the structure was read, in
// bytes. Errors: driver.ErrCorrupt with the report saying what is wrong,
// ErrFormat, ErrLocked, ctx's.
func Verify(ctx context.Context, path string, progress func(done, total int64)) (Report, error) {
	f, err := lockForReading(path)
	if err != nil {
		return Report{}, err
	}
	defer f.abandon()
	return f.verifyAll(ctx, progress)
}

// lockForReading opens and locks path without looking into it.
func lockForReading(path string) (*file, error) {
	f, err := lockExisting(path, Options{ReadOnly: true, AllowNetworkFS: true}, time.Now().Add(defaultLockTimeout))
	if errors.Is(err, errMoved) {
		err = fmt.Errorf("%w: %w", driver.ErrLocked, err)
	}
	return f, err
}

func (f *file) verifyAll(ctx context.Context, progress func(done, total int64)) (Report, error) {
	r := Report{Size: f.info.Size()}
	st, err := walkFile(ctx, f.f, r.Size, progress)
	r.add(&st)
	if err != nil {
		return r, fmt.Errorf("%s: %w", f.path, err)
	}
	d, err := Open(f.path, Options{ReadOnly: true, SkipVerify: true, AllowNetworkFS: true})
	if err != nil {
		return r, err
	}
	defer d.Close()
	if !os.SameFile(d.file.info, f.info) {
		return r, fmt.Errorf("%w: %w", driver.ErrLocked, errMoved)
	}
	if r.Checked, err = d.Check(ctx, maxFindings, driver.Visitor{}); err != nil {
		return r, err
	}
	if n := len(r.Checked.Findings); n > 0 {
		first := r.Checked.Findings[0]
		return r, fmt.Errorf("%w: %s: %s: %s (%d findings)", driver.ErrCorrupt, f.path, first.Where, first.What, n)
	}
	return r, nil
}

// walkFile checks the structure of a whole file.
func walkFile(ctx context.Context, r io.ReaderAt, size int64, progress func(done, total int64)) (walkResult, error) {
	w := walker{ctx: ctx, r: r}
	if progress != nil {
		done := int64(0)
		w.progress = func(pages uint64) {
			done += int64(pages) * pageSize
			progress(done, size)
		}
	}
	if err := w.checkMetas(size); err != nil {
		return w.st, err
	}
	if err := w.walk(); err != nil {
		return w.st, err
	}
	return w.st, w.st.err()
}
