package pgserver

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy forwards between clients and a server. It counts round trips and can
// cut connections.
type Proxy struct {
	l      net.Listener
	target string
	trips  atomic.Int64
	cut    atomic.Pointer[func() Cut]
	later  time.Duration
	work   sync.WaitGroup

	mu    sync.Mutex // guards conns
	conns map[net.Conn]bool
}

// Cut says what a Proxy does with a piece that a client sent, and with the
// connection.
type Cut uint8

// These are the choices for a piece that a client sent.
const (
	Forward   Cut = iota // and leave the connection
	CutBefore            // drop it and cut
	CutAfter             // forward it and cut, before there is an answer
)

// NewProxy starts a proxy for the server at target.
func NewProxy(target string) (*Proxy, error) { return newProxy(target, 0) }

func newProxy(target string, later time.Duration) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{l: l, target: target, later: later, conns: map[net.Conn]bool{}}
	p.work.Add(1)
	go p.accept()
	return p, nil
}

// DSN returns the DSN of the database behind the proxy.
func (p *Proxy) DSN() string { return DSN(p.l.Addr().String()) }

// Trips returns the number of round trips: how often a client sent something
// after it had received an answer.
func (p *Proxy) Trips() int64 { return p.trips.Load() }

// Decide calls fn for each piece that a client sends. If fn is nil, every piece
// is forwarded. Many goroutines call fn.
func (p *Proxy) Decide(fn func() Cut) {
	if fn == nil {
		p.cut.Store(nil)
		return
	}
	p.cut.Store(&fn)
}

// Close cuts all connections and waits until they have ended.
func (p *Proxy) Close() error {
	err := p.l.Close()
	p.mu.Lock()
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
	return err
}

func (p *Proxy) accept() {
	defer p.work.Done()
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.join(client, server)
	}
}

func (p *Proxy) join(client, server net.Conn) {
	p.mu.Lock()
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	var answered atomic.Bool
	p.work.Add(2)
	go func() {
		defer p.end(client, server)
		p.send(client, server, &answered)
	}()
	go func() {
		defer p.end(client, server)
		_ = pump(server, client, func() Cut {
			answered.Store(true)
			return Forward
		})
	}()
}

// send forwards a client's data and counts its round trips.
func (p *Proxy) send(client, server net.Conn, answered *atomic.Bool) {
	to := io.Writer(server)
	if p.later > 0 {
		l := newLate(server, p.later)
		defer l.close()
		to = l
	}
	_ = pump(client, to, func() Cut {
		if answered.Swap(false) {
			p.trips.Add(1)
		}
		if cut := p.cut.Load(); cut != nil {
			return (*cut)()
		}
		return Forward
	})
}

func (p *Proxy) end(client, server net.Conn) {
	defer p.work.Done()
	_ = client.Close()
	_ = server.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, client)
	delete(p.conns, server)
}

var errCut = errors.New("cut")

// pump copies pieces and calls ask before each.
func pump(from io.Reader, to io.Writer, ask func() Cut) error {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return err
		}
		cut := ask()
		if cut == CutBefore {
			return errCut
		}
		if _, err := to.Write(b[:n]); err != nil {
			return err
		}
		if cut == CutAfter {
			return errCut
		}
	}
}
