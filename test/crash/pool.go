package crash

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// pool is a set of checkers that work in parallel, each in its own directory.
type pool struct {
	dir  string
	free chan *checker
	all  []*checker
}

// pools are the pools of works that were checked before. A checker computes the
// results of its work once, which takes longer than to compare an image with
// them.
var (
	poolsMu sync.Mutex
	pools   = map[string]*pool{}
)

// poolOf returns the pool of the work. A new pool gets n checkers. Replays of
// different works must not run concurrently.
func poolOf(w *work, n int) (*pool, error) {
	poolsMu.Lock()
	defer poolsMu.Unlock()
	key := fmt.Sprint(w.seed, w.kind, w.quiet)
	if p := pools[key]; p != nil {
		return p, nil
	}
	endPools()
	dir, err := os.MkdirTemp(memoryDir(), "seshat-crash-")
	p := &pool{dir: dir, free: make(chan *checker, n)}
	for i := range n {
		c := &checker{path: filepath.Join(dir, fmt.Sprint(i), storeName), w: w}
		p.all = append(p.all, c)
		p.free <- c
	}
	pools[key] = p
	return p, err
}

// endPools ends all checkers. None may be checking an image.
func endPools() {
	for key, p := range pools {
		for _, c := range p.all {
			c.stop()
		}
		_ = os.RemoveAll(p.dir)
		delete(pools, key)
	}
}

// inquiry is the set of questions of one replay.
type inquiry struct {
	pool    *pool
	running sync.WaitGroup

	mu  sync.Mutex
	err error
}

// ask gives the image to a checker, which later calls tell with its answer. The
// error may belong to an earlier image.
func (i *inquiry) ask(im *image, q question, tell func(bad string)) error {
	c := <-i.pool.free
	i.running.Go(func() {
		defer func() { i.pool.free <- c }()
		a, err := c.look(im, q)
		if a.Bad != "" {
			tell(a.Bad)
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		i.err = errors.Join(i.err, err)
	})
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.err
}

// answer gives the image to a checker and waits for its answer.
func (i *inquiry) answer(im *image, q question) (reply, error) {
	c := <-i.pool.free
	defer func() { i.pool.free <- c }()
	return c.look(im, q)
}

// look checks an image.
func (c *checker) look(im *image, q question) (reply, error) {
	if err := im.store(c.path); err != nil {
		return reply{}, err
	}
	return c.check(q)
}

// wait returns when all images were checked.
func (i *inquiry) wait() error {
	i.running.Wait()
	return i.err
}

// store writes the image to the file at path. It overwrites an existing file,
// which is cheaper than a new one.
func (im *image) store(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(im.data)
	return errors.Join(err, f.Truncate(int64(len(im.data))), f.Truncate(im.size), f.Close())
}

// wrong counts images by their fault.
type wrong struct {
	mu   sync.Mutex
	what map[string]int
}

func (w *wrong) add(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.what == nil {
		w.what = map[string]int{}
	}
	w.what[what]++
}

// addFirst adds a fault. For the first image with it, addFirst also notes how
// the image was made.
func (w *wrong) addFirst(what, cut string, acked int) {
	w.mu.Lock()
	first := len(w.what) == 0
	w.mu.Unlock()
	if first {
		what = fmt.Sprintf("%s (first with cut %q after step %d)", what, cut, acked)
	}
	w.add(what)
}

// count returns how many images were wrong.
func (w *wrong) count() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, of := range w.what {
		n += of
	}
	return n
}
