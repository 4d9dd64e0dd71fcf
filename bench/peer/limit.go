package peer

import (
	"context"
	"os"
	"path/filepath"

	"github.com/seshatdb/seshat/bench/load"
	"github.com/vmihailenco/msgpack/v5"
)

var limitKind = Kind{
	Name: "the limit",
	What: "no store: what waits is appended to a preallocated file and synced once; nothing is ever read",
	Open: func(dir string) (Peer, error) { return openLimit(filepath.Join(dir, "limit.log"), 64<<20) },
}

// limit is the lower bound of the cost of a durable write on the machine.
type limit struct {
	f     *os.File
	size  int64
	calls chan *written
	ended chan struct{}
}

type written struct {
	data []byte
	err  chan error
}

func openLimit(path string, size int64) (*limit, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	zero := make([]byte, 1<<20)
	for n := int64(0); n < size; n += int64(len(zero)) {
		if _, err := f.Write(zero); err != nil {
			return nil, err
		}
	}
	p := &limit{f, size, make(chan *written, 1024), make(chan struct{})}
	go p.loop()
	return p, f.Sync()
}

func (p *limit) loop() {
	defer close(p.ended)
	var buf []byte
	var batch []*written
	at := int64(0)
	for w := range p.calls {
		batch = append(batch[:0], w)
		buf = append(buf[:0], w.data...)
		for len(p.calls) > 0 && len(batch) < 1024 {
			w := <-p.calls
			batch = append(batch, w)
			buf = append(buf, w.data...)
		}
		if at+int64(len(buf)) > p.size {
			at = 0
		}
		_, err := p.f.WriteAt(buf, at)
		if err == nil {
			err = syncData(p.f)
		}
		at += int64(len(buf))
		for _, w := range batch {
			w.err <- err
		}
	}
}

func (p *limit) write(v any) error {
	b, err := msgpack.Marshal(v)
	if err != nil {
		return err
	}
	w := &written{b, make(chan error, 1)}
	p.calls <- w
	return <-w.err
}

func (p *limit) Create(_ context.Context, s *load.Session) error { return p.write(s) }

var touched = load.NewSession(0, 1)

func (p *limit) Touch(context.Context, string) error { return p.write(touched) }

func (p *limit) Append(_ context.Context, _ string, m *load.Message) error {
	return p.write(struct {
		S *load.Session
		M *load.Message
	}{touched, m})
}

func (p *limit) Get(context.Context, string) error                  { return ErrNone }
func (p *limit) ListUser(context.Context, string, int) (int, error) { return 0, ErrNone }
func (p *limit) ListActive(context.Context, int) (int, error)       { return 0, ErrNone }
func (p *limit) Fill(context.Context, []Filling) error              { return nil }

func (p *limit) Close() error {
	close(p.calls)
	<-p.ended
	return p.f.Close()
}
