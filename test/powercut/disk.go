// Package powercut has a disk that loses its power: a directory of files, in
// memory and mounted through FUSE, that knows of each what was synced and what
// was not, and keeps of the latter what chance decides.
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
	mu      sync.Mutex // guards all that follows, and all files
	r       *rand.Rand
	now     map[string]*File
	kept    map[string]*File // as of the last sync of the directory
	renames [][]naming       // since then, in order
	last    uint64           // id of a file

	trouble Trouble
	counts  map[Op]int
	changes int // operations since the trouble began
	off     bool
	broken  bool // the operation under way fails
	struck  chan struct{}
	told    bool // struck is closed
}

// File is a file of a Disk, which may have several names, or none.
type File struct {
	d  *Disk
	id uint64
	content
}

// naming gives a file a name; without a file, it takes the name away.
type naming struct {
	name string
	file *File
}

// NewDisk returns an empty disk, whose chances come from the seed.
func NewDisk(seed uint64) *Disk {
	d := &Disk{counts: map[Op]int{}, struck: make(chan struct{})}
	d.Format(seed)
	return d
}

// Format makes the disk empty and its trouble end.
func (d *Disk) Format(seed uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.r = rand.New(rand.NewPCG(seed, 0xd15c))
	d.now = map[string]*File{}
	d.kept = map[string]*File{}
	d.renames = nil
	d.calm()
}

// Restart ends the trouble. If the power was lost, of what was not synced only
// what chance decides is left; else only the programs stopped.
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

// namesLeft is the directory after a loss of power: of the changes since its
// last sync the first few, or any.
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

// newFile returns a file without a name. The lock is held.
func (d *Disk) newFile(c content) *File {
	d.last++
	return &File{d: d, id: d.last, content: c}
}

// name changes names, all at once. The lock is held.
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

// Create makes an empty file, in the place of one that has the name.
func (d *Disk) Create(name string) (f *File, errno syscall.Errno) {
	errno = d.do(Name, func() {
		f = d.newFile(content{})
		d.name(naming{name, f})
	})
	return f, errno
}

// Link gives the file one more name.
func (d *Disk) Link(f *File, name string) syscall.Errno {
	return d.do(Name, func() { d.name(naming{name, f}) })
}

// Rename gives a file another name, which another file may have until then.
func (d *Disk) Rename(from, to string) syscall.Errno {
	return d.do(Name, func() { d.name(naming{to, d.now[from]}, naming{from, nil}) })
}

// Remove takes a name away.
func (d *Disk) Remove(name string) syscall.Errno {
	return d.do(Name, func() { d.name(naming{name, nil}) })
}

// SyncNames makes all names survive a loss of power.
func (d *Disk) SyncNames() syscall.Errno {
	return d.do(SyncNames, func() {
		if d.trouble.Lies != SyncNames {
			d.kept = maps.Clone(d.now)
			d.renames = nil
		}
	})
}

// Size is the number of bytes of the file.
func (f *File) Size() int {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return len(f.now)
}

// ReadAt fills b from the file and returns how much there was.
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

// grows reports whether a write up to there needs more room than the file has.
func (f *File) grows(end int) bool {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return end > f.written
}

// Truncate gives the file a size.
func (f *File) Truncate(size int) syscall.Errno {
	return f.d.do(Truncate, func() { f.change(change{at: size}) })
}

// Sync makes what the file holds survive a loss of power.
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
