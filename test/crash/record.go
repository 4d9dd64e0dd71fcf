package crash

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// errNoTrap: this machine lets no process look at its own calls.
var errNoTrap = errors.New("the kernel does not hand over calls here")

// call is one call to the system that changes a file or makes it durable.
type call struct {
	name string // see trapped
	fd   int
	path string // of the file; for link and rename, its former name
	to   string // for link and rename, the new one
	file uint64
	off  int64 // of a write; else the new size
	data []byte
}

// fault is what befalls the nth of the calls of a process, or of those of one
// name.
type fault struct {
	Call string // "any" = all
	Nth  int    // from 1; 0 = no fault
	How  string // a key of breaks, "kill" before it, or "killed" after it
}

var breaks = map[string]syscall.Errno{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC}

func (f fault) String() string { return fmt.Sprint(f.Call, ":", f.How) }

// recorder writes down what its own process does to a store's files, in the
// order in which it is done, and what the process says.
type recorder struct {
	store  string // path
	fault  fault
	memory *os.File // of this process

	mu    sync.Mutex
	log   *os.File
	count int // of calls that the fault counts

	struck atomic.Bool // the fault has happened
}

// begin takes note of a call that is about to be made, and says how it is to
// fail; 0 = not. A write may reach the disk from when it begins.
func (r *recorder) begin(c call) syscall.Errno {
	if !r.concerns(c) {
		return 0
	}
	if errno := r.strike(c); errno != 0 {
		r.say(event{kind: broke, file: c.file, text: c.name})
		return errno
	}
	switch c.name {
	case "pwrite":
		r.say(event{kind: wrote, file: c.file, off: c.off, data: c.data})
	case "ftruncate", "fallocate":
		r.say(event{kind: resized, file: c.file, n: int(c.off)})
	}
	return 0
}

// done takes note of a call that succeeded.
func (r *recorder) done(c call) {
	if !r.concerns(c) {
		return
	}
	switch c.name {
	case "fdatasync", "fsync":
		if c.path == filepath.Dir(r.store) {
			r.say(event{kind: dirSynced})
		} else {
			r.say(event{kind: synced, file: c.file})
		}
	case "link", "rename":
		if c.to == r.store {
			r.say(event{kind: named, file: c.file})
		}
	case "open":
		r.say(event{kind: opened})
	}
	if r.fault.How == "killed" && r.due(c) {
		r.say(event{kind: broke, file: c.file})
		die()
	}
}

// concerns reports whether a call is about the store: its file, also under a
// temporary name, or its directory.
func (r *recorder) concerns(c call) bool {
	return strings.HasPrefix(c.path, r.store) || c.path == filepath.Dir(r.store)
}

// strike counts the call and says how it is to fail.
func (r *recorder) strike(c call) syscall.Errno {
	if r.fault.Call != "any" && r.fault.Call != c.name {
		return 0
	}
	r.count++
	if !r.due(c) {
		return 0
	}
	r.struck.Store(true)
	if r.fault.How == "kill" {
		r.say(event{kind: broke, file: c.file})
		die()
	}
	return breaks[r.fault.How]
}

func (r *recorder) due(c call) bool {
	return r.count == r.fault.Nth && (r.fault.Call == "any" || r.fault.Call == c.name)
}

// die ends the process at once, as an operator or the system does.
func die() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {}
}

// say appends an event to the log, in one write.
func (r *recorder) say(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := fmt.Sprintf("%d %d %d %d %d %q\n", e.kind, e.file, e.off, e.n, len(e.data), e.text)
	_, _ = r.log.Write(append([]byte(line), e.data...))
}

// readLog returns the events that a process wrote down. The last one may be
// cut off, if it was killed.
func readLog(path string) ([]event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var events []event
	in := bufio.NewReaderSize(f, 1<<20)
	for {
		var e event
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		size := 0
		if _, err := fmt.Sscanf(line, "%d %d %d %d %d %q", &e.kind, &e.file, &e.off, &e.n, &size, &e.text); err != nil {
			return events, fmt.Errorf("%s: %q: %w", path, line, err)
		}
		e.data = make([]byte, size)
		if _, err := io.ReadFull(in, e.data); err != nil {
			return events, nil
		}
		events = append(events, e)
	}
}
