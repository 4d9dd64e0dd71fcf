package pgserver

import (
	"io"
	"time"
)

// NewDistantProxy is NewProxy with a server that is further away: what a client
// sends arrives that much later, in order, however much is on its way.
func NewDistantProxy(target string, later time.Duration) (*Proxy, error) {
	return newProxy(target, later)
}

// late writes what it is given to another, each piece that much later.
type late struct {
	to    io.Writer
	by    time.Duration
	queue chan piece
}

type piece struct {
	due  time.Time
	data []byte
}

// newLate returns a writer that works until it is closed.
func newLate(to io.Writer, by time.Duration) *late {
	l := &late{to, by, make(chan piece, 1024)}
	go l.run()
	return l
}

// run ends when the queue is closed. What cannot be written is lost, as on a
// network; who reads the connection finds out.
func (l *late) run() {
	for p := range l.queue {
		<-time.After(time.Until(p.due))
		_, _ = l.to.Write(p.data)
	}
}

func (l *late) Write(b []byte) (int, error) {
	l.queue <- piece{time.Now().Add(l.by), append([]byte(nil), b...)}
	return len(b), nil
}

func (l *late) close() { close(l.queue) }
