//go:build linux && (amd64 || arm64)

package powercut

import (
	"context"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// directory is the root of a mounted disk.
type directory struct {
	fs.Inode
	d *Disk
}

// node is a file of a mounted disk.
type node struct {
	fs.Inode
	f *File
}

var (
	_ fs.NodeLookuper  = (*directory)(nil)
	_ fs.NodeCreater   = (*directory)(nil)
	_ fs.NodeLinker    = (*directory)(nil)
	_ fs.NodeRenamer   = (*directory)(nil)
	_ fs.NodeUnlinker  = (*directory)(nil)
	_ fs.NodeReaddirer = (*directory)(nil)
	_ fs.NodeFsyncer   = (*directory)(nil)
	_ fs.NodeOpener    = (*node)(nil)
	_ fs.NodeReader    = (*node)(nil)
	_ fs.NodeWriter    = (*node)(nil)
	_ fs.NodeFsyncer   = (*node)(nil)
	_ fs.NodeSetattrer = (*node)(nil)
	_ fs.NodeGetattrer = (*node)(nil)
)

// mount mounts the disk at dir. Call unmount to end the mount. The mount does
// not cache names or sizes, and caches contents only while a file is open.
func mount(d *Disk, dir string) (unmount func(), err error) {
	var never time.Duration
	s, err := fs.Mount(dir, &directory{d: d}, &fs.Options{
		EntryTimeout: &never, AttrTimeout: &never, NegativeTimeout: &never,
		MountOptions: fuse.MountOptions{
			DirectMountStrict: true, FsName: "powercut", Name: "powercut",
			MaxWrite: 1 << 20, DisableXAttrs: true,
		},
	})
	if err != nil {
		return nil, err
	}
	return func() {
		if s.Unmount() != nil {
			_ = syscall.Unmount(dir, syscall.MNT_DETACH)
		}
	}, nil
}

func (r *directory) inode(ctx context.Context, f *File, out *fuse.EntryOut) *fs.Inode {
	f.attributes(&out.Attr)
	return r.NewInode(ctx, &node{f: f}, fs.StableAttr{Mode: fuse.S_IFREG, Ino: f.id + 1})
}

func (f *File) attributes(a *fuse.Attr) {
	size := uint64(f.Size())
	a.Mode = fuse.S_IFREG | 0o600
	a.Size = size
	a.Blksize = 4096
	a.Blocks = (size + sector - 1) / sector
	a.Nlink = 1
}

func (r *directory) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	f := r.d.Open(name)
	if f == nil {
		return nil, syscall.ENOENT
	}
	return r.inode(ctx, f, out), 0
}

func (r *directory) Create(ctx context.Context, name string, _, _ uint32,
	out *fuse.EntryOut,
) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	f, errno := r.d.Create(name)
	if errno != 0 {
		return nil, nil, 0, errno
	}
	return r.inode(ctx, f, out), nil, 0, 0
}

func (r *directory) Link(ctx context.Context, target fs.InodeEmbedder, name string,
	out *fuse.EntryOut,
) (*fs.Inode, syscall.Errno) {
	n, ok := target.(*node)
	if !ok {
		return nil, syscall.EPERM
	}
	if r.d.Open(name) != nil {
		return nil, syscall.EEXIST
	}
	if errno := r.d.Link(n.f, name); errno != 0 {
		return nil, errno
	}
	return r.inode(ctx, n.f, out), 0
}

func (r *directory) Rename(_ context.Context, name string, _ fs.InodeEmbedder, to string, _ uint32) syscall.Errno {
	return r.d.Rename(name, to)
}

func (r *directory) Unlink(_ context.Context, name string) syscall.Errno { return r.d.Remove(name) }

func (r *directory) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	var all []fuse.DirEntry
	for _, name := range r.d.Names() {
		all = append(all, fuse.DirEntry{Name: name, Mode: fuse.S_IFREG})
	}
	return fs.NewListDirStream(all), 0
}

func (r *directory) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return r.d.SyncNames()
}

func (n *node) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, 0
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.f.attributes(&out.Attr)
	return 0
}

func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if errno := n.f.Truncate(int(size)); errno != 0 {
			return errno
		}
	}
	n.f.attributes(&out.Attr)
	return 0
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, b []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	k, errno := n.f.ReadAt(b, int(at))
	return fuse.ReadResultData(b[:k]), errno
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, b []byte, at int64) (uint32, syscall.Errno) {
	if errno := n.f.WriteAt(b, int(at)); errno != 0 {
		return 0, errno
	}
	return uint32(len(b)), 0
}

func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return n.f.Sync() }
