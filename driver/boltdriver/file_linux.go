package boltdriver

import (
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
