package powercut

import (
	"syscall"
	"time"
)

// Op is a kind of operation on a disk.
type Op uint8

// The kinds of operations. Grow is a write that needs more room than the file
// has; Name is to create, link, rename or remove; SyncNames is to sync the
// directory.
const (
	Read Op = iota + 1
	Write
	Grow
	Truncate
	Sync
	Name
	SyncNames
)

// Trouble is what a disk will meet. Its zero value is none.
type Trouble struct {
	// Of the operations of kind Fault, the Nth from now on fails with Errno. It
	// may have been made all the same, unless that is ENOSPC; of what a failed
	// sync should have kept, each sector may be kept, and later syncs do not
	// bring the rest.
	Fault Op
	Nth   int
	Errno syscall.Errno

	// Off is how many operations that change something come until the power
	// is off: the last of them is made or not, and it and all later ones fail
	// with EIO, after Stall. Reads go on. 0 means never. With AtSync it is how
	// many syncs of files come, of which the last is not made: all that it
	// should have kept is at stake.
	Off    int
	AtSync bool
	Stall  time.Duration

	// Delay is how long each sync takes.
	Delay time.Duration

	// Lies is Sync or SyncNames: those return and keep nothing. A loss of power
	// then takes the last changes of each file, and leaves the ones before.
	Lies Op
}

// meeting is how an operation ends.
type meeting struct {
	errno syscall.Errno
	made  bool // it has its effect
	stall time.Duration
}

// meet counts an operation and says how it ends. The lock is held.
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

// strike tells those who wait that something failed.
func (d *Disk) strike() {
	if !d.told {
		d.told = true
		close(d.struck)
	}
}

// Arm lets the disk meet the trouble from now on. The channel is closed when
// something fails for another reason than a full disk, or at the next Restart.
func (d *Disk) Arm(t Trouble) (struck <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calm()
	d.trouble = t
	return d.struck
}

// calm ends the trouble. The lock is held.
func (d *Disk) calm() {
	d.strike()
	d.trouble = Trouble{}
	d.off = false
	d.changes = 0
	d.struck = make(chan struct{})
	d.told = false
	clear(d.counts)
}

// do makes an operation with what it meets.
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
