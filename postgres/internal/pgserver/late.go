package pgserver

import (
	"io"
	"time"
)

// NewDistantProxy is like NewProxy, but the server seems further away: it
// delays each piece that a client sends, and keeps their order.
func NewDistantProxy(target string, later time.Duration) (*Proxy, error) {
	return newProxy(target, later)
}

// late is a writer that delays each piece before it writes it to another
// writer.
type late struct {
	to    io.Writer
	by    time.Duration
	queue chan piece
}

type piece struct {
	due  time.Time
	data []byte
}

// newLate starts a writer. The caller stops it with close.
func newLate(to io.Writer, by time.Duration) *late {
	l := &late{to, by, make(chan piece, 1024)}
	go l.run()
	return l
}

// run ends when the queue is closed. Like a network, it drops data that cannot
// be written. The reader of the connection notices.
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
