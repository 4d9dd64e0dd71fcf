package hub

import (
	"sync"
	"testing"
)

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestAnnounceWakesTheWatchersOfOneNumber(t *testing.T) {
	h := New()
	one := h.Join(1)
	same := h.Join(1)
	other := h.Join(2)
	news := []<-chan struct{}{one.News(), same.News(), other.News()}
	h.Announce(1)
	h.Announce(3) // nobody watches
	for i, want := range []bool{true, true, false} {
		if closed(news[i]) != want {
			t.Errorf("watcher %d woken: %v", i, !want)
		}
	}
	if closed(one.News()) {
		t.Error("woken by an announcement from before it asked")
	}
	h.Announce(0)
	if !closed(news[2]) {
		t.Error("not woken by an announcement to all")
	}
}

func TestNothingIsKeptForThoseWhoLeft(t *testing.T) {
	h := New()
	a := h.Join(1)
	b := h.Join(1)
	c := h.Join(2)
	a.Leave()
	news := b.News()
	h.Announce(1)
	if !closed(news) {
		t.Error("a watcher is not woken after another left")
	}
	b.Leave()
	c.Leave()
	if n := h.Topics(); n != 0 {
		t.Errorf("%d topics are left", n)
	}
}

func TestCloseTellsWatchersOfNowAndLater(t *testing.T) {
	h := New()
	if closed(h.Done()) {
		t.Fatal("closed from the start")
	}
	h.Close()
	h.Close()
	if !closed(h.Done()) {
		t.Error("Done is open after Close")
	}
	h.Join(1).Leave()
}

// TestNoAnnouncementIsMissed has a writer and readers that follow the only
// rule: take the channel, look, wait.
func TestNoAnnouncementIsMissed(t *testing.T) {
	h := New()
	const last = 1000
	var mu sync.Mutex
	n := 0
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			w := h.Join(1)
			defer w.Leave()
			for {
				news := w.News()
				mu.Lock()
				seen := n
				mu.Unlock()
				if seen == last {
					return
				}
				<-news
			}
		})
	}
	for range last {
		mu.Lock()
		n++
		mu.Unlock()
		h.Announce(1)
	}
	wg.Wait()
}
