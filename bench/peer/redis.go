package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/seshatdb/seshat/bench/load"
	"github.com/vmihailenco/msgpack/v5"
)

var redisKind = Kind{
	Name: "Redis",
	What: "a server of its own over loopback, appendonly with appendfsync always: SET of the record, RPUSH of " +
		"messages, sorted sets as indexes; a lock of our own around read and write",
	Open: openRedis,
}

type redis struct {
	server *exec.Cmd
	addr   string
	conns  chan *redisConn
	locks  locks
}

// redisConns is the number of open connections.
const redisConns = 64

func openRedis(dir string) (Peer, error) {
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("%w: redis-server is not installed", ErrNone)
	}
	dir = filepath.Join(dir, "redis")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, err
	}
	p := &redis{addr: fmt.Sprintf("127.0.0.1:%d", port), conns: make(chan *redisConn, redisConns)}
	p.server = exec.Command(bin, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir,
		"--appendonly", "yes", "--appendfsync", "always", "--save", "")
	if err := p.server.Start(); err != nil {
		return nil, err
	}
	for range redisConns {
		c, err := p.dial()
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.conns <- c
	}
	return p, nil
}

// dial connects when the server listens.
func (p *redis) dial() (*redisConn, error) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			return newRedisConn(c), nil
		}
		if time.Now().After(deadline) {
			return nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// do runs commands in one round trip and returns their replies.
func (p *redis) do(cmds ...[]any) ([]any, error) {
	c := <-p.conns
	defer func() { p.conns <- c }()
	return c.do(cmds)
}

// transact is do as one transaction.
func (p *redis) transact(cmds ...[]any) error {
	all := append([][]any{{"MULTI"}}, cmds...)
	_, err := p.do(append(all, []any{"EXEC"})...)
	return err
}

func (p *redis) put(s *load.Session, also ...[]any) error {
	b, err := encode(s)
	if err != nil {
		return err
	}
	return p.transact(append(also, []any{"SET", "r/" + s.ID, b, "PXAT", s.Expires},
		[]any{"ZADD", "active", s.Active, s.ID})...)
}

func (p *redis) read(id string) (*load.Session, error) {
	v, err := p.do([]any{"GET", "r/" + id})
	if err != nil {
		return nil, err
	}
	b, ok := v[0].([]byte)
	if !ok {
		return nil, errGone
	}
	return decode(b)
}

func (p *redis) Create(_ context.Context, s *load.Session) error {
	return p.put(s, []any{"ZADD", "u/" + s.User, s.Created, s.ID})
}

func (p *redis) Touch(_ context.Context, id string) error {
	defer p.locks.lock(id)()
	s, err := p.read(id)
	if err != nil {
		return err
	}
	s.Touch()
	return p.put(s)
}

func (p *redis) Append(_ context.Context, id string, m *load.Message) error {
	defer p.locks.lock(id)()
	s, err := p.read(id)
	if err != nil {
		return err
	}
	c := *m
	s.Add(&c)
	b, err := msgpack.Marshal(&c)
	if err != nil {
		return err
	}
	return p.put(s, []any{"RPUSH", "l/" + id, b})
}

func (p *redis) Get(_ context.Context, id string) error {
	_, err := p.read(id)
	return err
}

func (p *redis) ListUser(_ context.Context, user string, limit int) (int, error) {
	return p.list("u/"+user, limit)
}

func (p *redis) ListActive(_ context.Context, limit int) (int, error) { return p.list("active", limit) }

func (p *redis) list(key string, limit int) (n int, err error) {
	v, err := p.do([]any{"ZREVRANGE", key, 0, limit - 1})
	if err != nil {
		return 0, err
	}
	get := []any{"MGET"}
	for _, id := range v[0].([]any) {
		get = append(get, "r/"+string(id.([]byte)))
	}
	if len(get) == 1 {
		return 0, nil
	}
	if v, err = p.do(get); err != nil {
		return 0, err
	}
	for _, b := range v[0].([]any) {
		if _, err := decode(b.([]byte)); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (p *redis) Fill(_ context.Context, all []Filling) error {
	for i := range all {
		f := &all[i]
		f.number()
		push := []any{"RPUSH", "l/" + f.Session.ID}
		for _, m := range f.Messages {
			b, err := msgpack.Marshal(m)
			if err != nil {
				return err
			}
			push = append(push, b)
		}
		also := [][]any{{"ZADD", "u/" + f.Session.User, f.Session.Created, f.Session.ID}}
		if len(f.Messages) > 0 {
			also = append(also, push)
		}
		if err := p.put(f.Session, also...); err != nil {
			return err
		}
	}
	return nil
}

func (p *redis) Close() error {
	for len(p.conns) > 0 {
		_ = (<-p.conns).c.Close()
	}
	if err := p.server.Process.Kill(); err != nil {
		return err
	}
	_ = p.server.Wait() // it was killed, and says so
	return nil
}
