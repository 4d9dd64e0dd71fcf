package powercut

import (
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// envDisk makes a test's program a process that serves a disk in the named
// directory: see Serve. The disk must be in another process than its user. When
// a goroutine waits for a mapped page, the Go runtime cannot stop it, so all
// other goroutines may wait too, including the one that would read the page.
const envDisk = "SESHAT_POWERCUT_DISK"

// Serve serves a disk if the environment asks for it, until the parent process
// closes standard input or ends. It reports whether it served one.
func Serve() bool {
	dir := os.Getenv(envDisk)
	if dir == "" {
		return false
	}
	signal.Ignore(syscall.SIGPIPE) // the parent process may be gone
	d := NewDisk(0)
	unmount, err := mount(d, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return true
	}
	defer unmount()
	s := rpc.NewServer()
	r := &Remote{d, make(chan struct{})}
	if err := s.RegisterName("Disk", r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return true
	}
	s.ServeConn(pipes{input{os.Stdin, r}, os.Stdout})
	return true
}

// input is where calls come from, until its end.
type input struct {
	io.ReadCloser
	r *Remote
}

func (i input) Read(b []byte) (int, error) {
	n, err := i.ReadCloser.Read(b)
	if err != nil {
		close(i.r.ended)
	}
	return n, err
}

// pipes is a connection.
type pipes struct {
	io.ReadCloser
	io.WriteCloser
}

func (p pipes) Close() error { return errors.Join(p.WriteCloser.Close(), p.ReadCloser.Close()) }

// Nothing is the argument or result of a remote call that has none.
type Nothing struct{}

// Remote serves a disk to another process.
type Remote struct {
	d     *Disk
	ended chan struct{} // closed when no more calls will come
}

// Format calls Disk.Format.
func (r *Remote) Format(seed uint64, _ *Nothing) error {
	r.d.Format(seed)
	return nil
}

// Arm calls Disk.Arm. Await replaces the channel.
func (r *Remote) Arm(t Trouble, _ *Nothing) error {
	r.d.Arm(t)
	return nil
}

// Await waits until the channel of the last Arm is closed, or until nobody
// listens.
func (r *Remote) Await(Nothing, *Nothing) error {
	r.d.mu.Lock()
	struck := r.d.struck
	r.d.mu.Unlock()
	select {
	case <-struck:
	case <-r.ended:
	}
	return nil
}

// Restart calls Disk.Restart.
func (r *Remote) Restart(lost bool, _ *Nothing) error {
	r.d.Restart(lost)
	return nil
}

// Drive is a mounted disk that another process serves.
type Drive struct {
	Dir    string // mount point
	cmd    *exec.Cmd
	client *rpc.Client
}

// ErrNoFUSE means that this machine cannot mount a FUSE file system.
var ErrNoFUSE = errors.New("no FUSE file system can be mounted")

// Mount starts a process that serves an empty disk, and mounts the disk in dir.
// The program must call Serve. Mount returns ErrNoFUSE if it cannot mount.
func Mount(dir string) (*Drive, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	v := &Drive{Dir: dir, cmd: exec.Command(exe)}
	v.cmd.Env = append(os.Environ(), envDisk+"="+dir)
	v.cmd.Stderr = os.Stderr
	in, err := v.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	v.client = rpc.NewClient(pipes{out, in})
	if err := v.Format(0); err != nil {
		return nil, errors.Join(ErrNoFUSE, err, v.Close())
	}
	return v, nil
}

// Format calls Disk.Format.
func (v *Drive) Format(seed uint64) error { return v.client.Call("Disk.Format", seed, &Nothing{}) }

// Arm calls Disk.Arm.
func (v *Drive) Arm(t Trouble) (struck <-chan struct{}, err error) {
	if err := v.client.Call("Disk.Arm", t, &Nothing{}); err != nil {
		return nil, err
	}
	told := make(chan struct{})
	wait := v.client.Go("Disk.Await", Nothing{}, &Nothing{}, nil)
	go func() {
		<-wait.Done
		close(told)
	}()
	return told, nil
}

// Restart calls Disk.Restart. No file of the disk may be open.
func (v *Drive) Restart(lost bool) error { return v.client.Call("Disk.Restart", lost, &Nothing{}) }

// Close unmounts the disk and ends its process.
func (v *Drive) Close() error {
	err := v.client.Close()
	return errors.Join(err, v.cmd.Wait())
}
