// Package hub wakes goroutines that wait for news about a number, such as the
// namespace whose feed they read. It carries no data: whoever is woken looks
// for itself, so nobody can be too slow, and nothing is kept for those who do
// not wait.
package hub

import "sync"

// Hub connects those who announce with those who wait.
type Hub struct {
	mu     sync.Mutex // guards what follows
	topics map[uint64]*topic
	closed bool
	done   chan struct{}
}

// topic is what the watchers of one number share.
type topic struct {
	watchers int
	news     chan struct{} // closed by the next announcement
}

// New returns a hub without watchers.
func New() *Hub { return &Hub{topics: map[uint64]*topic{}, done: make(chan struct{})} }

// Watcher is one that waits, until it leaves.
type Watcher struct {
	h *Hub
	n uint64
}

// Join adds a watcher of n.
func (h *Hub) Join(n uint64) Watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[n]
	if t == nil {
		t = &topic{news: make(chan struct{})}
		h.topics[n] = t
	}
	t.watchers++
	return Watcher{h, n}
}

// Leave must be called once, when the watcher waits no more.
func (w Watcher) Leave() {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	t := w.h.topics[w.n]
	if t.watchers--; t.watchers == 0 {
		delete(w.h.topics, w.n)
	}
}

// News returns a channel that is closed by the first announcement after this
// call. To miss nothing, take it first, then look, then wait.
func (w Watcher) News() <-chan struct{} {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	return w.h.topics[w.n].news
}

// Announce wakes the watchers of n; 0 means all of them.
func (h *Hub) Announce(n uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n != 0 {
		h.topics[n].announce()
		return
	}
	for _, t := range h.topics {
		t.announce()
	}
}

func (t *topic) announce() {
	if t == nil {
		return
	}
	close(t.news)
	t.news = make(chan struct{})
}

// Close tells all watchers, now and later, that no news will come.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.done)
	}
}

// Done is closed by Close.
func (h *Hub) Done() <-chan struct{} { return h.done }

// Topics returns how many numbers are watched.
func (h *Hub) Topics() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.topics)
}
