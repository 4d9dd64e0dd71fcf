package dbfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
	bolt "go.etcd.io/bbolt"
)

// CompactCopy returns a smaller copy of the file, open and locked, that has
// taken its name. On an error the file is as it was. The copy is locked before
// it gets the name, and the original stays locked until it has lost it, so at
// no moment can another process write either.
func (f *File) CompactCopy(ctx context.Context, o Options) (_ *File, err error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	t, err := NewTemp(f.Path)
	if err != nil {
		return nil, err
	}
	next := &File{Handle: t.Handle, Path: f.Path}
	defer func() {
		if err != nil {
			next.Abandon()
			_ = os.Remove(t.Path)
		}
	}()
	if next.Info, err = t.Handle.Stat(); err != nil {
		return nil, err
	}
	next.claim = tryClaim(next.Info, false)
	if err := Guarded("compact", func() error { return next.fill(ctx, f, o) }); err != nil {
		return nil, err
	}
	if err := os.Rename(t.Path, f.Path); err != nil {
		return nil, err
	}
	next.kernelName = linkTo(next.Handle, next.Path)
	o.Hooks.at("renamed")
	if err := syncDir(filepath.Dir(f.Path)); err != nil {
		next.Broken = err
	}
	return next, nil
}

// fill copies the content of src, makes it durable and checks it.
func (f *File) fill(ctx context.Context, src *File, o Options) error {
	if err := f.openBolt(o); err != nil {
		return err
	}
	ahead := f.DB.AllocSize
	f.DB.AllocSize = 0
	keys, err := copyBuckets(ctx, f.DB, src.DB)
	f.DB.AllocSize = ahead
	if err != nil {
		return err
	}
	if err := f.Handle.Sync(); err != nil {
		return err
	}
	st, err := fsck.Walk(ctx, f.Handle, fileSize(f.Handle), fsck.Options{})
	if err == nil && st.Keys != keys {
		err = fmt.Errorf("%w: copied %d keys, found %d", driver.ErrCorrupt, keys, st.Keys)
	}
	o.Hooks.at("compacted")
	return err
}

// copyBuckets copies all buckets with their keys in order and returns how many
// keys there are.
func copyBuckets(ctx context.Context, dst, src *bolt.DB) (keys uint64, err error) {
	err = src.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			if err := dst.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket(name); return err }); err != nil {
				return err
			}
			n, err := copyBucket(ctx, dst, name, b.Cursor())
			keys += n
			return err
		})
	})
	return keys, err
}

func copyBucket(ctx context.Context, dst *bolt.DB, name []byte, c *bolt.Cursor) (keys uint64, err error) {
	k, v := c.First()
	for k != nil {
		if err := ctx.Err(); err != nil {
			return keys, err
		}
		err := dst.Update(func(tx *bolt.Tx) error {
			b := tx.Bucket(name)
			b.FillPercent = format.FillPercent
			for size := 0; k != nil && size < format.CopyChunk; k, v = c.Next() {
				if v == nil {
					return fmt.Errorf("%w: a bucket in bucket %q", driver.ErrFormat, name)
				}
				if err := b.Put(k, v); err != nil {
					return err
				}
				size += len(k) + len(v) + 64
				keys++
			}
			return nil
		})
		if err != nil {
			return keys, err
		}
	}
	return keys, nil
}
