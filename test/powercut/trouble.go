package powercut

import (
	"syscall"
	"time"
)

// Op is a kind of operation on a disk.
type Op uint8

// Grow is a write that needs more space than the file has. Name is to create,
// link, rename or remove a file. SyncNames syncs the directory.
const (
	Read Op = iota + 1
	Write
	Grow
	Truncate
	Sync
	Name
	SyncNames
)

// Trouble describes future faults of a disk. Its zero value is none.
type Trouble struct {
	// The Nth operation of kind Fault from now on fails with Errno. It may take
	// effect all the same, unless Errno is ENOSPC. After a failed sync, each
	// sector may be kept, and later syncs do not write the rest.
	Fault Op
	Nth   int
	Errno syscall.Errno

	// Off is the number of changing operations until the power goes off. The
	// last of them may take effect. It and all later ones fail with EIO after
	// Stall. Reads continue. 0 means never. With AtSync, Off counts syncs of
	// files instead. The last of those does not happen, so all its data may be
	// lost.
	Off    int
	AtSync bool
	Stall  time.Duration

	// Delay is the duration of each sync.
	Delay time.Duration

	// Lies is Sync or SyncNames. Those operations then succeed without effect.
	// A loss of power then removes the last changes of each file and keeps
	// earlier ones.
	Lies Op
}

// meeting is the outcome of an operation.
type meeting struct {
	errno syscall.Errno
	made  bool // it takes effect
	stall time.Duration
}

// meet counts an operation and returns its outcome. The caller holds the lock.
func (d *Disk) meet(op Op) meeting {
	d.broken = false
	if d.off && op != Read {
		return meeting{errno: syscall.EIO, stall: d.trouble.Stall}
	}
	d.counts[op]++
	if op == d.trouble.Fault && d.counts[op] == d.trouble.Nth {
		if d.trouble.Errno == syscall.ENOSPC {
			return meeting{errno: syscall.ENOSPC}
		}
		d.strike()
		d.broken = true
		return meeting{errno: d.trouble.Errno, made: op == Sync || d.r.IntN(2) == 0}
	}
	if op == Read || d.trouble.AtSync && op != Sync {
		return meeting{made: true}
	}
	if d.changes++; d.changes == d.trouble.Off {
		d.off = true
		d.strike()
		return meeting{syscall.EIO, !d.trouble.AtSync && d.r.IntN(2) == 0, d.trouble.Stall}
	}
	return meeting{made: true}
}

// strike tells waiting callers that an operation failed.
func (d *Disk) strike() {
	if !d.told {
		d.told = true
		close(d.struck)
	}
}

// Arm applies the trouble from now on. struck is closed when an operation fails
// for another reason than a full disk, or at the next Restart.
func (d *Disk) Arm(t Trouble) (struck <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calm()
	d.trouble = t
	return d.struck
}

// calm ends the trouble. The caller holds the lock.
func (d *Disk) calm() {
	d.strike()
	d.trouble = Trouble{}
	d.off = false
	d.changes = 0
	d.struck = make(chan struct{})
	d.told = false
	clear(d.counts)
}

// do makes an operation with its planned outcome.
func (d *Disk) do(op Op, act func()) syscall.Errno {
	d.mu.Lock()
	m := d.meet(op)
	if m.made {
		act()
	}
	d.mu.Unlock()
	if m.stall > 0 {
		<-time.After(m.stall)
	}
	return m.errno
}
