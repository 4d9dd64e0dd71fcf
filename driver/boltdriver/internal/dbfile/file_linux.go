package dbfile

import (
	"fmt"
	"os"
	"syscall"
)

// remoteMagic holds the file systems on which locks or shared maps are not
// reliable between machines, or not under the kernel's control.
var remoteMagic = map[uint32]bool{
	0x00006969: true, // NFS
	0x0000517B: true, // SMB
	0xFF534D42: true, // CIFS
	0xFE534D42: true, // SMB2
	0x01021997: true, // 9P
	0x65735546: true, // FUSE
	0x5346414F: true, // AFS
	0x6B414653: true, // kAFS
	0x00C36400: true, // Ceph
	0x73757245: true, // Coda
	0x0000564C: true, // NCP
	0x0BD00BD0: true, // Lustre
	0x47504653: true, // GPFS
	0x19830326: true, // BeeGFS
	0x786F4256: true, // VirtualBox shared folders
	0xBACBACBC: true, // VMware shared folders
}

// isRemote says whether the file is on a network or FUSE file system.
func isRemote(f *os.File) bool {
	var st syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &st); err != nil {
		return false
	}
	return remoteMagic[uint32(st.Type)]
}

// nameLink is where the kernel tells an open file's name: the one it was opened
// by, or was moved to since, or with a remark that it was removed. To ask for
// the file's state instead, before each commit, makes the kernel (from Linux
// 6.13 on) give the next write times of its own, and so change the inode each
// time: a tenth of a small commit. See BenchmarkLookBeforeCommit.
type nameLink struct {
	link string
	buf  []byte
}

// linkTo returns the link for a file that was opened as path. It says nothing
// if a part of path is a link, or the file is not the machine's own: others may
// change its name.
func linkTo(f *os.File, path string) nameLink {
	l := nameLink{fmt.Sprintf("/proc/self/fd/%d", f.Fd()), make([]byte, len(path)+1)}
	if isRemote(f) || !l.says(path) {
		return nameLink{}
	}
	return l
}

// says reports whether the kernel knows the file by that name, and no other.
func (l *nameLink) says(path string) bool {
	if l.link == "" {
		return false
	}
	n, err := syscall.Readlink(l.link, l.buf)
	return err == nil && string(l.buf[:n]) == path
}
