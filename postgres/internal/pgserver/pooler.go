package pgserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Pooler is a pgbouncer in front of a server. It assigns connections by
// transaction and runs until Stop.
type Pooler struct {
	bin, dir string
	port     int

	cmd  *exec.Cmd
	gone chan struct{}
}

// poolerConfig lets many clients share few connections of the server. No query
// resets a connection between two clients, as that is not done by transaction.
const poolerConfig = `[databases]
postgres = host=127.0.0.1 port=%s user=seshat dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
`

// NewPooler starts a pooler with that many connections to the server at target.
// It returns ErrMissing if pgbouncer is not installed or cannot be started
// here.
func NewPooler(target string, conns int) (*Pooler, error) {
	bin, err := poolerBinary()
	if err != nil {
		return nil, err
	}
	p := &Pooler{bin: bin}
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("", "seshat-pool-"); err != nil {
		return nil, err
	}
	config := fmt.Sprintf(poolerConfig, port, p.port, conns)
	err = os.WriteFile(p.config(), []byte(config), 0o644)
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(p.dir))
	}
	return p, nil
}

// poolerBinary also searches Debian's directory, which is not on every PATH.
func poolerBinary() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: pgbouncer is not installed", ErrMissing)
}

func (p *Pooler) config() string { return filepath.Join(p.dir, "pgbouncer.ini") }

// Start starts a pooler that was killed, at the same address.
func (p *Pooler) Start() error {
	attr, err := unprivileged(p.dir)
	if err != nil {
		return err
	}
	var said strings.Builder
	p.cmd = exec.Command(p.bin, "-q", p.config())
	p.cmd.Dir = p.dir
	p.cmd.SysProcAttr = attr
	p.cmd.Stderr = &said
	p.gone = make(chan struct{})
	if err := launch(p.cmd, p.gone); err != nil {
		return err
	}
	if err := p.await(); err != nil {
		return errors.Join(err, p.Kill(), errors.New(said.String())) // said is complete once it is gone
	}
	return nil
}

// await waits until the pooler listens.
func (p *Pooler) await() error {
	late := time.After(startTimeout)
	for {
		c, err := net.Dial("tcp", p.Addr())
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.gone:
			return errors.New("the pooler ended")
		case <-late:
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Addr returns the address of the pooler.
func (p *Pooler) Addr() string { return fmt.Sprintf("127.0.0.1:%d", p.port) }

// DSN returns the DSN of the database behind the pooler.
func (p *Pooler) DSN() string { return DSN(p.Addr()) }

// Kill ends the pooler like a crash, with all connections through it.
func (p *Pooler) Kill() error {
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.gone
	return nil
}

// Stop ends the pooler and removes its files.
func (p *Pooler) Stop() error { return errors.Join(p.Kill(), os.RemoveAll(p.dir)) }
