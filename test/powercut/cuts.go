package powercut

import (
	"math/rand/v2"
	"syscall"
	"time"
)

// Cuts are the disasters of a store on a Drive, as package lin uses them: the
// power is cut, the process is killed, or operations fail.
type Cuts struct {
	Drive *Drive
	Seed  uint64 // determines when disasters come and what they leave
	Lies  Op     // see Trouble

	Power, Kills, Faults int // number of each kind so far
}

// delays are the durations of syncs, by seed.
var delays = []time.Duration{0, 300 * time.Microsecond, 2 * time.Millisecond}

// Arm arms the drive with the nth trouble.
func (c *Cuts) Arm(n int) (struck <-chan struct{}, err error) {
	t := c.trouble(n)
	if t.Fault != 0 {
		c.Faults++
	}
	return c.Drive.Arm(t)
}

func (c *Cuts) chance(n int, what uint64) *rand.Rand {
	return rand.New(rand.NewPCG(c.Seed, uint64(n)<<1|what))
}

// faults are the possible faults. Nth is the last operation that can fail.
var faults = []Trouble{
	{Fault: Sync, Nth: 16, Errno: syscall.EIO},
	{Fault: Sync, Nth: 16, Errno: syscall.EIO},
	{Fault: Write, Nth: 24, Errno: syscall.EIO},
	{Fault: Grow, Nth: 6, Errno: syscall.EIO},
	{Fault: Grow, Nth: 6, Errno: syscall.ENOSPC},
	{Fault: Truncate, Nth: 2, Errno: syscall.EIO},
	{Fault: Read, Nth: 6, Errno: syscall.EIO},
	{Fault: Name, Nth: 4, Errno: syscall.EIO},
	{Fault: SyncNames, Nth: 2, Errno: syscall.EIO},
}

// trouble returns the nth trouble: perhaps one operation fails, and after some
// more operations all fail. The unsynced data of a killed process is most
// interesting to lose in the next process's first commit, which may build on
// it.
func (c *Cuts) trouble(n int) Trouble {
	r := c.chance(n, 0)
	t := Trouble{}
	if r.IntN(3) == 0 {
		t = faults[r.IntN(len(faults))]
		t.Nth = 1 + r.IntN(t.Nth)
	}
	t.Off = 1 + r.IntN([]int{12, 60, 60, 200}[r.IntN(4)])
	if t.AtSync = r.IntN(2) == 0; t.AtSync {
		t.Off = 1 + r.IntN(16)
		if n > 0 && !c.lost(n-1) && r.IntN(2) == 0 {
			t.Off = 1 + r.IntN(2)
		}
	}
	if r.IntN(8) == 0 {
		t.Stall = 5 * time.Millisecond
	}
	t.Delay = delays[c.Seed%uint64(len(delays))]
	t.Lies = c.Lies
	return t
}

// Recover restarts the drive, mostly with the loss of unsynced data.
func (c *Cuts) Recover(n int) error {
	lost := c.lost(n)
	if lost {
		c.Power++
	} else {
		c.Kills++
	}
	return c.Drive.Restart(lost)
}

// lost reports whether the nth disaster loses unsynced data.
func (c *Cuts) lost(n int) bool { return c.chance(n, 1).IntN(4) > 0 }
