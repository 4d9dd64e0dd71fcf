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

// errNoTrap means that processes on this machine cannot trap their own calls.
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

// fault is a fault of the nth call of a process, or of its nth call with one
// name.
type fault struct {
	Call string // "any" = all
	Nth  int    // from 1; 0 = no fault
	How  string // a key of breaks, "kill" before it, or "killed" after it
}

var breaks = map[string]syscall.Errno{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC}

func (f fault) String() string { return fmt.Sprint(f.Call, ":", f.How) }

// recorder records, in order, its own process's calls on a store's files and
// the messages of the process.
type recorder struct {
	store  string // path
	fault  fault
	memory *os.File // of this process

	mu    sync.Mutex
	log   *os.File
	count int // of calls that the fault counts

	struck atomic.Bool // the fault has happened
}

// begin records a call that is about to be made and returns the error that it
// must fail with, or 0. A write may reach the disk as soon as it begins.
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

// done records a call that succeeded.
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

// concerns reports whether a call affects the store: its file, also under a
// temporary name, or its directory.
func (r *recorder) concerns(c call) bool {
	return strings.HasPrefix(c.path, r.store) || c.path == filepath.Dir(r.store)
}

// strike counts the call and returns the error that it must fail with, or 0.
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

// die kills the process at once, like an operator or the system.
func die() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {}
}

// say appends an event to the log in one write.
func (r *recorder) say(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := fmt.Sprintf("%d %d %d %d %d %q\n", e.kind, e.file, e.off, e.n, len(e.data), e.text)
	_, _ = r.log.Write(append([]byte(line), e.data...))
}

// readLog returns the events that a process recorded. If the process was
// killed, the last one may be incomplete.
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
