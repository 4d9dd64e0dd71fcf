package powercut

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const rolls = 400 // of chance

func filled(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

// newFile returns a file with old content. Its content and its name are synced.
func newFile(t *testing.T, d *Disk) *File {
	t.Helper()
	f, errno := d.Create("f")
	if errno != 0 || f.WriteAt(filled('a', 4*sector), 0) != 0 || f.Sync() != 0 || d.SyncNames() != 0 {
		t.Fatal("the disk refuses a file")
	}
	return f
}

// done fails the test unless a call on the disk succeeded.
func done(t *testing.T, errno syscall.Errno) {
	t.Helper()
	if errno != 0 {
		t.Fatal(errno)
	}
}

func content4(t *testing.T, d *Disk) []byte {
	t.Helper()
	f := d.Open("f")
	if f == nil {
		t.Fatal("the file is gone")
	}
	b := make([]byte, 16*sector)
	n, errno := f.ReadAt(b, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return b[:n]
}

// Promise: synced data survives each loss of power. Each sector of other data
// is old or new as a whole, in all combinations.
func TestSyncedSectorsSurvive(t *testing.T) {
	seen := map[string]int{}
	for n := range rolls {
		d := NewDisk(uint64(n))
		f := newFile(t, d)
		done(t, f.WriteAt(filled('b', sector), 0))
		done(t, f.Sync())
		done(t, f.WriteAt(filled('c', 2*sector), sector))
		d.Restart(true)
		got := content4(t, d)
		if len(got) != 4*sector || !bytes.Equal(got[:sector], filled('b', sector)) ||
			!bytes.Equal(got[3*sector:], filled('a', sector)) {
			t.Fatalf("seed %d: what was synced is lost", n)
		}
		for i := 1; i < 3; i++ {
			if s := got[i*sector : (i+1)*sector]; !bytes.Equal(s, filled(s[0], sector)) {
				t.Fatalf("seed %d: a sector is torn", n)
			}
		}
		seen[string([]byte{got[sector], got[2*sector]})]++
	}
	if len(seen) != 4 || seen["aa"]+seen["ac"]+seen["ca"]+seen["cc"] != rolls {
		t.Errorf("saw %v, want each of the four", seen)
	}
}

// Promise: a new size survives or not, independently of the data. Missing data
// reads as zeros or as old data of the medium.
func TestSizesSurviveApart(t *testing.T) {
	sizes, junk := map[int]int{}, 0
	for n := range rolls {
		d := NewDisk(uint64(n))
		f := newFile(t, d)
		done(t, f.Truncate(8*sector))
		done(t, f.WriteAt(filled('b', sector), 8*sector))
		d.Restart(true)
		got := content4(t, d)
		sizes[len(got)/sector]++
		if len(got) > 4*sector && got[5*sector] != 0 {
			junk++
		}
	}
	if sizes[4] == 0 || sizes[8] == 0 || sizes[9] == 0 || sizes[4]+sizes[8]+sizes[9] != rolls || junk == 0 {
		t.Errorf("sizes %v, %d with junk", sizes, junk)
	}
}

// Promise: synced names survive a loss of power. Each other change of a name
// survives or not. A renamed file has its old name or its new one.
func TestNamesSurviveApart(t *testing.T) {
	seen := map[string]int{}
	for n := range rolls {
		d := NewDisk(uint64(n))
		f := newFile(t, d)
		done(t, d.Link(f, "g"))
		done(t, d.Rename("f", "h"))
		d.Restart(true)
		names := ""
		for _, name := range []string{"f", "g", "h"} {
			if d.Open(name) != nil {
				names += name
			}
		}
		seen[names]++
	}
	if len(seen) != 4 || seen["f"]+seen["fg"]+seen["gh"]+seen["h"] != rolls {
		t.Errorf("saw %v, want f, fg, gh and h", seen)
	}
}

// Promise: a failed sync returns an error and may keep some sectors. No later
// sync keeps the others. Programs read their writes until the power is lost.
func TestFailedSyncIsNotMadeUpFor(t *testing.T) {
	lost := 0
	for n := range rolls {
		d := NewDisk(uint64(n))
		f := newFile(t, d)
		struck := d.Arm(Trouble{Fault: Sync, Nth: 1, Errno: syscall.EIO})
		done(t, f.WriteAt(filled('b', sector), 0))
		if f.Sync() != syscall.EIO || f.Sync() != 0 {
			t.Fatal("not the first sync, or not only that, fails")
		}
		<-struck
		if content4(t, d)[0] != 'b' {
			t.Fatal("a program does not see what it wrote")
		}
		d.Restart(true)
		if content4(t, d)[0] == 'a' {
			lost++
		}
	}
	if lost == 0 || lost == rolls {
		t.Errorf("%d of %d sectors were lost", lost, rolls)
	}
}

// Promise: once the power is off, nothing changes. After a restart without a
// loss, all data is there.
func TestPowerOffEndsChanges(t *testing.T) {
	for n := range rolls {
		d := NewDisk(uint64(n))
		f := newFile(t, d)
		struck := d.Arm(Trouble{Off: 2})
		done(t, f.WriteAt(filled('b', sector), 0))
		if f.WriteAt(filled('c', sector), sector) != syscall.EIO ||
			f.WriteAt(filled('d', sector), 0) != syscall.EIO || f.Sync() != syscall.EIO {
			t.Fatal("the power is not off")
		}
		<-struck
		d.Restart(false)
		if got := content4(t, d); got[0] != 'b' || f.Sync() != 0 {
			t.Fatalf("the first byte is %c", got[0])
		}
	}
}

// Promise: a mounted disk is a file system. Processes see each other's writes
// and names, and synced data survives a loss of power.
func TestMountedDisk(t *testing.T) {
	v := drive(t)
	path := filepath.Join(v.Dir, "f")
	if err := os.WriteFile(path, filled('a', 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Link(path, path+"2"), os.Rename(path, path+"3")); err != nil {
		t.Fatal(err)
	}
	syncPath(t, path+"2")
	syncPath(t, v.Dir)
	if err := v.Restart(true); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path + "3"); err != nil || !bytes.Equal(b, filled('a', 5000)) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
}

// Promise: a disk ends when its user ends, even while the user waits for a
// trouble that never comes.
func TestDiskEndsWithItsUser(t *testing.T) {
	v := newDrive(t)
	struck, err := v.Arm(Trouble{Off: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.client.Close(); err != nil {
		t.Fatal(err)
	}
	<-struck
	if err := v.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func syncPath(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}
