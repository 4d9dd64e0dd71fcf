// Package powercut has a disk that can lose its power. It is a directory of
// files in memory, mounted through FUSE. It knows which data is synced, and a
// loss of power keeps a random part of the rest.
package powercut

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Disk is one directory of files. Its methods are safe for concurrent use.
type Disk struct {
	mu      sync.Mutex // guards the fields below and all files
	r       *rand.Rand
	now     map[string]*File
	kept    map[string]*File // names as of the last sync of the directory
	renames [][]naming       // changes since then, in order
	last    uint64           // id of the newest file

	trouble Trouble
	counts  map[Op]int
	changes int // operations since the trouble began
	off     bool
	broken  bool // the current operation fails
	struck  chan struct{}
	told    bool // struck is closed
}

// File is a file of a Disk. It may have several names, or none.
type File struct {
	d  *Disk
	id uint64
	content
}

// naming gives a file a name or, without a file, removes the name.
type naming struct {
	name string
	file *File
}

// NewDisk returns an empty disk. The seed determines its random choices.
func NewDisk(seed uint64) *Disk {
	d := &Disk{counts: map[Op]int{}, struck: make(chan struct{})}
	d.Format(seed)
	return d
}

// Format empties the disk and ends its trouble.
func (d *Disk) Format(seed uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.r = rand.New(rand.NewPCG(seed, 0xd15c))
	d.now = map[string]*File{}
	d.kept = map[string]*File{}
	d.renames = nil
	d.calm()
}

// Restart ends the trouble. If lost, the power was lost, and only a random part
// of the unsynced data remains. Otherwise only the programs stopped.
func (d *Disk) Restart(lost bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	inOrder := d.trouble.Lies != 0
	d.calm()
	if !lost {
		return
	}
	names := d.namesLeft()
	again := map[*File]*File{}
	d.now = map[string]*File{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old := names[name]
		if again[old] == nil {
			left := old.cut(d.r, inOrder)
			again[old] = d.newFile(content{now: left, kept: slices.Clone(left), written: min(old.written, len(left))})
		}
		d.now[name] = again[old]
	}
	d.kept = maps.Clone(d.now)
	d.renames = nil
}

// namesLeft returns the directory after a loss of power. The changes since its
// last sync survive up to some point, or at random.
func (d *Disk) namesLeft() map[string]*File {
	left := maps.Clone(d.kept)
	first := d.r.IntN(len(d.renames) + 1)
	inOrder := d.r.IntN(2) != 0
	for i, rename := range d.renames {
		if inOrder && i < first || !inOrder && d.r.IntN(2) == 0 {
			for _, n := range rename {
				n.apply(left)
			}
		}
	}
	return left
}

func (n naming) apply(names map[string]*File) {
	if n.file == nil {
		delete(names, n.name)
		return
	}
	names[n.name] = n.file
}

// newFile returns a file without a name. The caller holds the lock.
func (d *Disk) newFile(c content) *File {
	d.last++
	return &File{d: d, id: d.last, content: c}
}

// name makes all changes of names at once. The caller holds the lock.
func (d *Disk) name(change ...naming) {
	for _, n := range change {
		n.apply(d.now)
	}
	d.renames = append(d.renames, change)
}

// Open returns the file of that name, or nil.
func (d *Disk) Open(name string) *File {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now[name]
}

// Names returns all names.
func (d *Disk) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.now))
}

// Create creates an empty file. It replaces a file of that name.
func (d *Disk) Create(name string) (f *File, errno syscall.Errno) {
	errno = d.do(Name, func() {
		f = d.newFile(content{})
		d.name(naming{name, f})
	})
	return f, errno
}

// Link gives the file another name in addition.
func (d *Disk) Link(f *File, name string) syscall.Errno {
	return d.do(Name, func() { d.name(naming{name, f}) })
}

// Rename renames a file. It replaces a file that has the new name.
func (d *Disk) Rename(from, to string) syscall.Errno {
	return d.do(Name, func() { d.name(naming{to, d.now[from]}, naming{from, nil}) })
}

// Remove removes a name.
func (d *Disk) Remove(name string) syscall.Errno {
	return d.do(Name, func() { d.name(naming{name, nil}) })
}

// SyncNames makes all names durable.
func (d *Disk) SyncNames() syscall.Errno {
	return d.do(SyncNames, func() {
		if d.trouble.Lies != SyncNames {
			d.kept = maps.Clone(d.now)
			d.renames = nil
		}
	})
}

// Size returns the size of the file in bytes.
func (f *File) Size() int {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return len(f.now)
}

// ReadAt reads into b and returns the number of bytes.
func (f *File) ReadAt(b []byte, at int) (n int, errno syscall.Errno) {
	errno = f.d.do(Read, func() {
		if at < len(f.now) {
			n = copy(b, f.now[at:])
		}
	})
	return n, errno
}

// WriteAt writes a copy of b.
func (f *File) WriteAt(b []byte, at int) syscall.Errno {
	if len(b) == 0 {
		return 0
	}
	op := Write
	if f.grows(at + len(b)) {
		op = Grow
	}
	return f.d.do(op, func() { f.change(change{at, slices.Clone(b)}) })
}

// grows reports whether a write up to end needs more space than the file has.
func (f *File) grows(end int) bool {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return end > f.written
}

// Truncate sets the size of the file.
func (f *File) Truncate(size int) syscall.Errno {
	return f.d.do(Truncate, func() { f.change(change{at: size}) })
}

// Sync makes the content of the file durable.
func (f *File) Sync() syscall.Errno {
	f.d.mu.Lock()
	delay := f.d.trouble.Delay
	f.d.mu.Unlock()
	if delay > 0 {
		<-time.After(delay)
	}
	return f.d.do(Sync, func() {
		switch {
		case f.d.trouble.Lies == Sync:
		case f.d.broken:
			f.failSync(f.d.r)
		default:
			f.sync()
		}
	})
}
