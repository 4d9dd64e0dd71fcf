package boltdriver

import (
	"context"
	"io"
)

// verify checks the locked file before it is mapped: the meta pages and the
// length always, the whole structure unless it is left out or over the limit.
// A freelist that is not stored makes the engine walk the tree when it opens
// the file, and die on damage, so there the check is never left out.
func (f *file) verify(o Options) error {
	size := f.info.Size()
	w := walker{ctx: context.Background(), r: f.f}
	if err := w.checkMetas(size); err != nil {
		return err
	}
	if err := w.st.err(); err != nil {
		return err
	}
	if (o.SkipVerify || o.overLimit(size)) && w.st.meta.freelist != noFreelist {
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
	b := make([]byte, 1<<20)
	for off := uint64(0); off < size; off += uint64(len(b)) {
		if _, err := r.ReadAt(b[:min(uint64(len(b)), size-off)], int64(off)); err != nil {
			return
		}
	}
}
