package boltdriver

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

var _ driver.Backuper = (*Driver)(nil)

// Backup writes the last durable state to w, as a file that Open opens, and
// returns how many bytes. Writers go on; the pages that the copy needs are not
// reused until it is done, so the file grows the longer w takes. One backup or
// compaction runs at a time. The caller syncs what w wrote. Verify checks the
// copy.
func (d *Driver) Backup(ctx context.Context, w io.Writer) (n int64, err error) {
	if err := d.checkOpen(ctx); err != nil {
		return 0, err
	}
	free, err := d.copyAlone(ctx)
	if err != nil {
		return 0, err
	}
	defer free()
	s, err := d.ownSnapshot()
	if err != nil {
		return 0, err
	}
	defer d.release(s)
	return s.tx.WriteTo(&metaOrder{w: contextWriter{ctx, w}})
}

// metaOrder passes a copy of the file on, with its two meta pages where the
// engine's next commits expect them: that of an even transaction first. The
// engine's own copies begin with the newest. If that is odd, the first commit
// into such a copy replaces it, and leaves two pages that do not follow one
// another, which look like damage.
type metaOrder struct {
	w    io.Writer
	head []byte // the meta pages, until they are complete
	done bool
}

func (o *metaOrder) Write(b []byte) (int, error) {
	if o.done {
		return o.w.Write(b)
	}
	n := min(len(b), 2*format.PageSize-len(o.head))
	o.head = append(o.head, b[:n]...)
	if len(o.head) < 2*format.PageSize {
		return n, nil
	}
	o.done = true
	if m := format.ParseMeta(o.head, 0); m.Sound && m.TxID%2 == 1 {
		o.head = append(append([]byte{}, o.head[format.PageSize:]...), o.head[:format.PageSize]...)
		binary.LittleEndian.PutUint64(o.head, 0)
		binary.LittleEndian.PutUint64(o.head[format.PageSize:], 1)
	}
	if _, err := o.w.Write(o.head); err != nil {
		return 0, err
	}
	more, err := o.w.Write(b[n:])
	return n + more, err
}

// copyAlone waits until no other call reads the whole file. A compaction must
// wait here: if it waited later, all calls would wait with it.
func (d *Driver) copyAlone(ctx context.Context) (free func(), err error) {
	select {
	case d.copying <- struct{}{}:
		return func() { <-d.copying }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// contextWriter ends a long copy when its context does.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(b)
}

// Restore makes the file at dst from the backup at src. The backup is verified
// whole before, the copy's structure after; until the copy is complete and
// durable there is no dst. Errors: fs.ErrExist if dst exists, which is not
// touched, and those of Verify.
func Restore(ctx context.Context, src, dst string) error {
	if err := dbfile.CheckAbsent("restore", dst); err != nil {
		return err
	}
	f, err := dbfile.OpenReadOnly(src)
	if err != nil {
		return err
	}
	defer f.Abandon()
	if _, err := verifyFile(ctx, f, nil); err != nil {
		return err
	}
	t, err := dbfile.NewTemp(dst)
	if err != nil {
		return err
	}
	defer t.Discard()
	from := io.NewSectionReader(f.Handle, 0, f.Info.Size())
	if _, err := io.Copy(contextWriter{ctx, t.Handle}, from); err != nil {
		return fmt.Errorf("restore %s: %w", dst, err)
	}
	return t.Finish(ctx, dst)
}
