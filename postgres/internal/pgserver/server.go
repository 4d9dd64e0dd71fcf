// Package pgserver starts PostgreSQL servers for tests from installed binaries.
// A server listens on the loopback only, keeps its data in a directory that is
// removed with it, and runs as a user without privileges.
package pgserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ErrMissing means that no PostgreSQL server can be started on this machine.
var ErrMissing = errors.New("no PostgreSQL server to start")

// Server is a server that runs until Stop.
type Server struct {
	bin  string
	dir  string
	port int
	set  []string

	cmd  *exec.Cmd
	gone chan struct{}
}

// startTimeout is the time limit for a server to become ready.
const startTimeout = time.Minute

// New creates an empty cluster and starts a server on it. set has settings as
// name=value. It returns ErrMissing if it cannot start a server.
func New(set ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "seshat-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, set: set}
	if err := s.init(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// Shared returns two functions. get starts one server for all its callers, or
// skips their tests if it cannot. stop stops the server.
func Shared(set ...string) (get func(testing.TB) *Server, stop func() error) {
	var s *Server
	start := sync.OnceValue(func() (err error) {
		s, err = New(set...)
		return err
	})
	get = func(tb testing.TB) *Server {
		tb.Helper()
		err := start()
		if errors.Is(err, ErrMissing) {
			tb.Skipf("SKIPPED, NOT TESTED: %v", err)
		}
		if err != nil {
			tb.Fatal(err)
		}
		return s
	}
	stop = func() error {
		if s == nil {
			return nil
		}
		return s.Stop()
	}
	return get, stop
}

// binaries returns the directory of initdb and postgres.
func binaries() (string, error) {
	var dirs []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range append(dirs, versions...) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%w: initdb is neither where pg_config says nor in /usr/lib/postgresql", ErrMissing)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) init() error {
	attr, err := unprivileged(s.dir)
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(s.bin, "initdb"), "-D", s.data(), "-A", "trust", "-U", "seshat",
		"--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
	cmd.Dir = s.dir
	cmd.SysProcAttr = attr
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// Start starts a killed server again at the same address. It waits until the
// processes of the killed server have ended.
func (s *Server) Start() (err error) {
	for try := 0; ; try++ {
		err = s.startOnce()
		if err == nil || try == 100 || !strings.Contains(err.Error(), "still in use") {
			return err
		}
		<-time.After(100 * time.Millisecond)
	}
}

func (s *Server) startOnce() (err error) {
	if s.port == 0 {
		if s.port, err = freePort(); err != nil {
			return err
		}
	}
	attr, err := unprivileged(s.dir)
	if err != nil {
		return err
	}
	args := []string{
		"-D", s.data(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-p",
		fmt.Sprint(s.port),
	}
	for _, set := range s.set {
		args = append(args, "-c", set)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = attr
	log, end, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stderr = end
	s.cmd = cmd
	s.gone = make(chan struct{})
	err = launch(cmd, s.gone)
	if closed := end.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return errors.Join(err, log.Close())
	}
	return s.await(log)
}

// await reads the server's log until the server is ready, and reads the rest in
// the background.
func (s *Server) await(log io.ReadCloser) error {
	ready := make(chan error, 1)
	go func() {
		defer log.Close()
		lines := bufio.NewScanner(log)
		var said strings.Builder
		for lines.Scan() {
			fmt.Fprintln(&said, lines.Text())
			if strings.Contains(lines.Text(), "ready to accept") {
				ready <- nil
				break
			}
		}
		ready <- fmt.Errorf("the server ended:\n%s", said.String())
		_, _ = io.Copy(io.Discard, log)
	}()
	select {
	case err := <-ready:
		return err
	case <-time.After(startTimeout):
		return errors.Join(errors.New("the server is not ready"), s.Kill())
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Addr returns the address of the server.
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// DSN returns the DSN of the server's database.
func (s *Server) DSN() string { return DSN(s.Addr()) }

// DSN returns the DSN of the database of a server that is reached at addr.
func DSN(addr string) string {
	return fmt.Sprintf("postgres://seshat@%s/postgres?sslmode=disable", addr)
}

// Kill ends the server like a crash and waits until it is gone.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	return errors.Join(s.end(syscall.SIGQUIT), os.RemoveAll(s.dir))
}

func (s *Server) end(sig syscall.Signal) error {
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.gone
	return nil
}
