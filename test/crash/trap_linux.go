//go:build linux && (amd64 || arm64)

package crash

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Package syscall lacks these numbers or has them for some platforms only.
const (
	prSetNoNewPrivs = 38
	setModeFilter   = 1
	filterFlags     = 1<<0 | 1<<3 | 1<<4 | 1<<5 // all threads, with a listener, woken only by death
	ioctlReceive    = 0xC0502100
	ioctlSend       = 0xC0182101
	retNotify       = 0x7fc00000
	retAllow        = 0x7fff0000
	opLoad          = 0x20
	opEqual         = 0x15
	opAnySet        = 0x45
	opReturn        = 0x06
)

// passing, as a sixth argument, marks a call that the trap itself makes. None
// of the trapped calls has six arguments.
const passing = 0x5e5a7

// trapped are the calls that change files or make them durable. A call of open
// is trapped only if it opens for writing.
var trapped = map[string]uint32{
	"pwrite": syscall.SYS_PWRITE64, "fdatasync": syscall.SYS_FDATASYNC, "fsync": syscall.SYS_FSYNC,
	"ftruncate": syscall.SYS_FTRUNCATE, "fallocate": syscall.SYS_FALLOCATE,
	"link": syscall.SYS_LINKAT, "rename": sysRename, "open": syscall.SYS_OPENAT,
}

type filterOp struct {
	code    uint16
	yes     uint8 // operations to skip
	no      uint8
	operand uint32
}

// notification is the kernel's description of a waiting call.
type notification struct {
	id     uint64
	thread uint32
	flags  uint32
	nr     int32
	arch   uint32
	ip     uint64
	args   [6]uint64
}

type answer struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// trap sends the trapped calls of this process to the recorder from now on. The
// recorder records each call and then makes it on the caller's behalf, or makes
// it fail.
func (r *recorder) trap() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0); errno != 0 {
		return fmt.Errorf("%w: prctl: %w", errNoTrap, errno)
	}
	ops := filter()
	program := struct {
		n   uint16
		ops *filterOp
	}{uint16(len(ops)), &ops[0]}
	fd, _, errno := syscall.RawSyscall(sysSeccomp, setModeFilter, filterFlags, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("%w: seccomp: %w", errNoTrap, errno)
	}
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		return err
	}
	r.memory = memory
	go r.serve(fd)
	return nil
}

// filter returns a program that sends the trapped calls to the listener, except
// the trap's own.
func filter() []filterOp {
	const number, third, sixth = 0, 32, 56 // offsets in the kernel's view of a call
	ops := []filterOp{
		{opLoad, 0, 0, sixth},
		{opEqual, 0, 1, passing},
		{opReturn, 0, 0, retAllow},
		{opLoad, 0, 0, number},
	}
	for name, nr := range trapped {
		if name == "open" {
			ops = append(ops, filterOp{opEqual, 0, 4, nr}, filterOp{opLoad, 0, 0, third},
				filterOp{opAnySet, 0, 1, syscall.O_WRONLY | syscall.O_RDWR | syscall.O_CREAT},
				filterOp{opReturn, 0, 0, retNotify}, filterOp{opReturn, 0, 0, retAllow})
			continue
		}
		ops = append(ops, filterOp{opEqual, 0, 1, nr}, filterOp{opReturn, 0, 0, retNotify})
	}
	return append(ops, filterOp{opReturn, 0, 0, retAllow})
}

// serve answers the calls one by one until the process ends.
func (r *recorder) serve(fd uintptr) {
	for {
		var n notification
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, ioctlReceive,
			uintptr(unsafe.Pointer(&n))); errno != 0 {
			if errno == syscall.EINTR || errno == syscall.ENOENT {
				continue
			}
			panic(errno)
		}
		value, errno := r.call(&n)
		a := answer{id: n.id, value: int64(value), errno: -int32(errno)}
		if errno != 0 {
			a.value = 0
		}
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, fd, ioctlSend, uintptr(unsafe.Pointer(&a)))
	}
}

// call records a call and makes it, unless it must fail.
func (r *recorder) call(n *notification) (uintptr, syscall.Errno) {
	c := r.describe(n)
	if errno := r.begin(c); errno != 0 {
		return 0, errno
	}
	a := n.args
	value, _, errno := syscall.Syscall6(uintptr(n.nr), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]),
		uintptr(a[4]), passing)
	if errno == 0 {
		r.done(c)
	}
	return value, errno
}

// describe converts a notification to the recorder's form.
func (r *recorder) describe(n *notification) call {
	c := call{fd: int(n.args[0])}
	for name, nr := range trapped {
		if nr == uint32(n.nr) {
			c.name = name
		}
	}
	switch c.name {
	case "pwrite":
		c.data = r.read(n.args[1], int(n.args[2]))
		c.off = int64(n.args[3])
	case "ftruncate":
		c.off = int64(n.args[1])
	case "fallocate":
		c.off = int64(n.args[2] + n.args[3])
	case "link", "rename":
		c.path, c.to = r.text(n.args[1]), r.text(n.args[3])
	case "open":
		c.path = r.text(n.args[1])
	}
	if c.path == "" {
		c.path, _ = os.Readlink("/proc/self/fd/" + strconv.Itoa(c.fd))
		c.file = inode(c.path, c.fd)
	} else {
		c.file = inode(c.path, -1)
	}
	return c
}

// inode returns the number of the open file fd or, if fd is negative, of the
// file at path. 0 means no file.
func inode(path string, fd int) uint64 {
	var st syscall.Stat_t
	err := syscall.Fstat(fd, &st)
	if fd < 0 {
		err = syscall.Stat(path, &st)
	}
	if err != nil {
		return 0
	}
	return st.Ino
}

// read copies memory of the waiting caller.
func (r *recorder) read(at uint64, n int) []byte {
	b := make([]byte, n)
	n, _ = r.memory.ReadAt(b, int64(at))
	return b[:n]
}

func (r *recorder) text(at uint64) string {
	s, _, _ := strings.Cut(string(r.read(at, 512)), "\x00")
	return s
}
