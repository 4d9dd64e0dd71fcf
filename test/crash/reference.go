package crash

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"

	"github.com/seshatdb/seshat"
)

// reference is what a store shows when it has done so many steps: at the time
// of the step that follows, before and after it. It is taken from a store in
// memory, which shares no file code.
type reference struct {
	w *work

	mu    sync.Mutex
	store *seshat.Store
	done  int
	views map[int]views // by step
}

type views struct {
	before, after           uint64 // with feeds
	beforeQuiet, afterQuiet uint64 // without
}

var hashSeed = maphash.MakeSeed()

func hash(text string) uint64 { return maphash.String(hashSeed, text) }

func newReference(w *work) (*reference, error) {
	s, err := seshat.OpenMemory(w.options())
	return &reference{w: w, store: s, views: map[int]views{}}, err
}

// of returns the views around step n.
func (r *reference) of(ctx context.Context, n int) (views, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.done < n {
		if err := r.advance(ctx); err != nil {
			return views{}, err
		}
	}
	return r.views[n], nil
}

func (r *reference) advance(ctx context.Context) error {
	n := r.done + 1
	r.w.at(n)
	var v views
	if _, err := r.store.EnsureTenant(ctx, seshat.Namespace{Name: "t"}); err != nil {
		return err
	}
	if err := r.look(ctx, &v.before, &v.beforeQuiet); err != nil {
		return err
	}
	if err := r.w.do(ctx, r.store, n); err != nil {
		return err
	}
	if err := r.look(ctx, &v.after, &v.afterQuiet); err != nil {
		return err
	}
	r.views[n] = v
	r.done = n
	return nil
}

func (r *reference) look(ctx context.Context, loud, quiet *uint64) error {
	text, err := r.w.dump(ctx, r.store, true)
	*loud, *quiet = hash(text), hash(withoutFeeds(text))
	return err
}

// withoutFeeds removes the lines of events from a dump.
func withoutFeeds(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if what, _, _ := strings.Cut(line, ": "); !strings.HasSuffix(what, " event") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// before returns what a store in memory shows before step n, without feeds.
func before(ctx context.Context, w *work, n int) (string, error) {
	s, err := seshat.OpenMemory(w.options())
	if err != nil {
		return "", err
	}
	defer s.Close()
	for i := 1; i < n; i++ {
		if err := w.do(ctx, s, i); err != nil {
			return "", err
		}
	}
	w.at(n)
	return w.dump(ctx, s, false)
}
