package fsck

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// Problem is one thing that is wrong with the structure of a file.
type Problem struct {
	Page   uint64 // 0 and 1 are the meta pages
	Bucket string // "" = the file itself
	What   string // what is wrong, in words
}

// String names the page, the bucket and what is wrong.
func (p Problem) String() string {
	if p.Bucket == "" {
		return fmt.Sprintf("page %d: %s", p.Page, p.What)
	}
	return fmt.Sprintf("page %d, bucket %q: %s", p.Page, p.Bucket, p.What)
}

// DamageError says what is wrong with the structure of a file. It matches
// driver.ErrCorrupt.
type DamageError struct {
	Problems []Problem // the first ones
	More     int       // problems beyond those
}

// Error says the first problem, and how many more there are.
func (e *DamageError) Error() string {
	s := fmt.Sprintf("%v: %v", driver.ErrCorrupt, e.Problems[0])
	if n := len(e.Problems) + e.More - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// Is makes the error match driver.ErrCorrupt.
func (e *DamageError) Is(target error) bool { return target == driver.ErrCorrupt }

const (
	maxProblems = 50
	maxDepth    = 64 // of branches and nested buckets together
	// MaxKey is the engine's bound on the length of a key, in bytes.
	MaxKey   = 1 << 15
	wholeRun = 64 << 10
)

// What a page is used for.
const (
	ownNone byte = iota
	ownMeta
	ownTree
	ownList
	ownFree
)

// walker follows a file's tree with plain reads: no map and none of the
// engine's code, so nothing that faults, panics, hangs or recurses without end,
// whatever the bytes. Memory grows with the pages it visits.
type walker struct {
	ctx   context.Context
	r     io.ReaderAt
	high  uint64
	owner owners
	bufs  [maxDepth + 1][]byte

	// visit, if set, sees every key that the tree reaches. Its error ends the
	// walk.
	visit func(LeafValue) error
	err   error

	// census, if set, compares the indexes with the records.
	census *indexSums

	// suspect are the pages where something is wrong. Noted if set.
	suspect map[uint64]bool

	// progress, if set, hears of every page visited.
	progress func(pages uint64)

	st Result
}

// LeafValue is one key in a leaf. Its slices are valid during the call only.
type LeafValue struct {
	Bucket string                 // a nested bucket is "outer/inner"
	Page   uint64                 // where the leaf begins
	Key    []byte                 // valid during the call
	Size   int                    // of the value, in bytes
	Read   func() ([]byte, error) // reads the value
}

// Result is what a walk found.
type Result struct {
	Meta format.MetaPage // the meta page in force

	// Branches and Leaves are the pages of the trees, with their overflow. Free
	// ones are listed as such, leaked ones are neither in use nor free.
	Branches, Leaves, Free, Leaked uint64

	Keys     uint64    // in all buckets
	Problems []Problem // the first 50
	More     int       // problems beyond those

	listed uint64 // pages of the list of free pages

	// Hurt are the buckets where something is wrong, "" = all. Of a walk that
	// visits.
	Hurt map[string]bool

	// InTree reports whether the tree leads to a page, and nothing is wrong
	// with it. Of a walk that visits.
	InTree func(page uint64) bool
}

func (s *Result) err() error {
	if len(s.Problems) == 0 {
		return nil
	}
	return &DamageError{Problems: s.Problems, More: s.More}
}

// addProblem notes a problem.
func (w *walker) addProblem(page uint64, bucket, format string, args ...any) {
	if w.suspect != nil {
		w.suspect[page] = true
		w.st.Hurt[bucket] = true
	}
	if len(w.st.Problems) == maxProblems {
		w.st.More++
		return
	}
	w.st.Problems = append(w.st.Problems, Problem{page, bucket, fmt.Sprintf(format, args...)})
}

// checkMetas checks the two meta pages and the file's length. The error says
// that it is not a file of ours; problems are in st.
func (w *walker) checkMetas(size int64) error {
	m, err := format.ReadMetas(w.r)
	if err != nil {
		return err
	}
	if !m[0].Sound && !m[1].Sound {
		return classify(w.r, size, m)
	}
	for i := range m {
		if !m[i].Sound {
			w.addProblem(uint64(i), "", "meta page is damaged: the last change may be missing")
		} else if m[i].PageSize != format.PageSize {
			return fmt.Errorf("%w: page size %d", driver.ErrFormat, m[i].PageSize)
		}
	}
	if m[0].Sound && m[1].Sound && m[0].TxID != m[1].TxID+1 && m[1].TxID != m[0].TxID+1 {
		w.addProblem(0, "", "transactions %d and %d of the meta pages are not neighbours", m[0].TxID, m[1].TxID)
	}
	w.st.Meta = format.NewestMeta(m)
	if w.st.Meta.Freelist == format.NoFreelist {
		// The engine would walk the tree when it opens the file, in a way
		// that kills the process on damage, and write before it returns.
		return fmt.Errorf("%w: the list of free pages is not stored", driver.ErrFormat)
	}
	w.high = w.st.Meta.InUse
	if pages := uint64(size) / format.PageSize; w.high > pages {
		w.addProblem(w.st.Meta.Page, "", "file is cut short: it has %d pages of %d", pages, w.high)
		w.high = pages
	}
	if w.high < 4 {
		w.addProblem(w.st.Meta.Page, "", "only %d pages are in use", w.high)
	}
	return nil
}

// classify tells a damaged store from a file that never was one.
func classify(r io.ReaderAt, size int64, m [2]format.MetaPage) error {
	if size == 0 {
		return fmt.Errorf("%w: the file is empty; remove it to have a new one created", driver.ErrFormat)
	}
	if m[0].Sound || m[1].Sound || m[0].Magic || m[1].Magic {
		return &DamageError{Problems: []Problem{{0, "", "both meta pages are damaged"}}}
	}
	zero := true
	b := make([]byte, format.PageSize)
	for id := int64(0); id < 64 && (id+1)*format.PageSize <= size; id++ {
		if _, err := r.ReadAt(b, id*format.PageSize); err != nil {
			return fmt.Errorf("%w: page %d: %w", driver.ErrCorrupt, id, err)
		}
		if id > 1 && looksLikePage(b, uint64(id)) {
			return &DamageError{Problems: []Problem{{0, "", "both meta pages are gone"}}}
		}
		zero = zero && allZero(b)
	}
	if zero && size >= format.PageSize {
		return &DamageError{Problems: []Problem{{0, "", "the file begins with zeros only"}}}
	}
	return fmt.Errorf("%w: not a store", driver.ErrFormat)
}

func looksLikePage(b []byte, id uint64) bool {
	switch binary.LittleEndian.Uint16(b[8:]) {
	case format.FlagBranch, format.FlagLeaf, format.FlagFreelist:
		return binary.LittleEndian.Uint64(b) == id
	}
	return false
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// walk checks the whole tree and the freelist. The error is ctx's, or visit's.
func (w *walker) walk() error {
	w.owner.set(0, 2, ownMeta)
	w.tree(w.st.Meta.Root, place{})
	w.freelist(w.st.Meta.Freelist)
	if used := 2 + w.st.Branches + w.st.Leaves + w.st.listed + w.st.Free; used < w.high {
		w.st.Leaked = w.high - used
	}
	if w.err != nil {
		return w.err
	}
	if w.census != nil && len(w.st.Problems) == 0 {
		for _, name := range w.census.differing() {
			w.addProblem(w.st.Meta.Root, name, "its keys are not those that the records have in it")
		}
	}
	return w.ctx.Err()
}

// page reads and claims a page with its overflow. Buffers are per depth: a
// parent's page is still needed while its children are walked.
func (w *walker) page(id uint64, as byte, at place) (PageRun, bool) {
	if id < 2 || id >= w.high {
		w.addProblem(at.page, at.bucket, "points to page %d of %d", id, w.high)
		return PageRun{}, false
	}
	b := w.buffer(at.depth, format.PageSize)
	if _, err := w.r.ReadAt(b, int64(id)*format.PageSize); err != nil {
		w.addProblem(id, at.bucket, "cannot be read: %v", err)
		return PageRun{}, false
	}
	if got := binary.LittleEndian.Uint64(b); got != id {
		w.addProblem(id, at.bucket, "says it is page %d", got)
		return PageRun{}, false
	}
	n := uint64(binary.LittleEndian.Uint32(b[12:])) + 1
	if n > w.high-id {
		w.addProblem(id, at.bucket, "%d pages of overflow reach past the end", n-1)
		return PageRun{}, false
	}
	if taken, ok := w.owner.claim(id, n, as); !ok {
		w.addProblem(taken, at.bucket, "is used twice")
		return PageRun{}, false
	}
	if w.progress != nil {
		w.progress(n)
	}
	return PageRun{Reader: w.r, ID: id, Pages: n, Data: b}, true
}

// buffer returns the buffer of a depth, grown to at least n bytes.
func (w *walker) buffer(depth, n int) []byte {
	if cap(w.bufs[depth]) < n {
		w.bufs[depth] = make([]byte, n)
	}
	return w.bufs[depth][:n]
}

// PageRun is a page with its overflow.
type PageRun struct {
	Reader io.ReaderAt // the file; nil if Data is all there is
	ID     uint64      // number of the first page
	Pages  uint64      // how many they are
	Data   []byte      // the beginning of them
}

func (r *PageRun) size() uint64 { return r.Pages * format.PageSize }

var errOutside = errors.New("reaches outside the page")

// At returns n bytes at off: of Data if they are there, else read. It returns
// an error if they are not all within the run.
func (r *PageRun) At(off, n uint64) ([]byte, error) {
	if off > r.size() || n > r.size()-off {
		return nil, errOutside
	}
	if off+n <= uint64(len(r.Data)) {
		return r.Data[off : off+n], nil
	}
	if r.Reader == nil {
		return nil, errOutside
	}
	b := make([]byte, n)
	_, err := r.Reader.ReadAt(b, int64(r.ID*format.PageSize+off))
	return b, err
}

// warm reads the file from end to end, so that the walk, which jumps about,
// finds it in the page cache: many times faster on a cold file. Errors show in
// the walk.
func warm(r io.ReaderAt, size uint64) {
	b := make([]byte, min(1<<20, size))
	for off := uint64(0); off < size; off += uint64(len(b)) {
		if _, err := r.ReadAt(b[:min(uint64(len(b)), size-off)], int64(off)); err != nil {
			return
		}
	}
}

// Options say what Walk does beside checking the structure.
type Options struct {
	// Visit sees every key that the tree reaches. Its error ends the walk. With
	// it the walk is there to save what it can: it shows keys whose order or
	// place is wrong too, goes on however much is wrong, and notes where that
	// is. Default: nil.
	Visit func(LeafValue) error

	// Progress hears after each page how many bytes of how many were read.
	// Default: nil.
	Progress func(done, total int64)

	// Census compares the indexes with the records. Default: false.
	Census bool

	// MetaOnly checks the meta pages and the file's length. Default: false.
	MetaOnly bool

	// Warm reads the file from end to end before. Default: false.
	Warm bool
}

// Walk checks the structure of a file of that many bytes, with plain reads.
// It returns a *DamageError if something is wrong, which matches
// driver.ErrCorrupt, driver.ErrFormat if the file is no store's, and the errors
// of ctx and of Visit. The result says what was found in each case.
func Walk(ctx context.Context, r io.ReaderAt, size int64, o Options) (Result, error) {
	w := walker{ctx: ctx, r: r, visit: o.Visit}
	if o.Visit != nil {
		w.suspect = map[uint64]bool{}
		w.st.Hurt = map[string]bool{}
	}
	if o.Census {
		w.census = newCensus()
	}
	if o.Progress != nil {
		done := int64(0)
		w.progress = func(pages uint64) {
			done += int64(pages) * format.PageSize
			o.Progress(done, size)
		}
	}
	err := w.checkMetas(size)
	if err == nil && !o.MetaOnly {
		if o.Warm {
			warm(r, w.high*format.PageSize)
		}
		err = w.walk()
	}
	w.st.InTree = w.inTree
	if err != nil {
		if w.st.Hurt != nil {
			w.st.Hurt[""] = true
		}
		return w.st, err
	}
	return w.st, w.st.err()
}

// inTree reports whether the tree leads to a page, and nothing is wrong with
// it.
func (w *walker) inTree(page uint64) bool { return w.owner.get(page) == ownTree && !w.suspect[page] }
