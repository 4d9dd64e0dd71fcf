// Package hub wakes goroutines that wait for news about a number, such as the
// namespace whose feed they read. It carries no data: a woken goroutine looks
// for itself. So no goroutine can be too slow, and the hub keeps nothing for
// those that do not wait.
package hub

import "sync"

// Hub connects goroutines that announce news with those that wait.
type Hub struct {
	mu     sync.Mutex // guards the fields below
	topics map[uint64]*topic
	closed bool
	done   chan struct{}
}

// topic is shared by the watchers of one number.
type topic struct {
	watchers int
	news     chan struct{} // closed by the next announcement
}

// New returns a hub without watchers.
func New() *Hub { return &Hub{topics: map[uint64]*topic{}, done: make(chan struct{})} }

// Watcher waits for news about one number until it leaves.
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

// Leave ends the watcher. Call it once.
func (w Watcher) Leave() {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	t := w.h.topics[w.n]
	if t.watchers--; t.watchers == 0 {
		delete(w.h.topics, w.n)
	}
}

// News returns a channel that the first announcement after this call closes. To
// miss nothing, call News, then look, then wait.
func (w Watcher) News() <-chan struct{} {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	return w.h.topics[w.n].news
}

// Announce wakes the watchers of n, or all if n is 0.
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

// Close tells all present and future watchers that no news will come.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.done)
	}
}

// Done returns a channel that Close closes.
func (h *Hub) Done() <-chan struct{} { return h.done }

// Topics returns the number of watched numbers.
func (h *Hub) Topics() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.topics)
}
