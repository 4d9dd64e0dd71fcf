package fsck

import (
	"bytes"
	"encoding/binary"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// place is the position of a node in the tree: its bucket, its parent's page,
// and the range for its keys.
type place struct {
	bucket string
	page   uint64
	depth  int
	lo, hi []byte // nil = open
	nested bool   // inside a bucket, not in the root that lists the buckets
}

// tree walks the node on page id and all nodes below it.
func (w *walker) tree(id uint64, at place) {
	if at.depth > maxDepth {
		w.addProblem(id, at.bucket, "the tree is deeper than %d", maxDepth)
		return
	}
	if w.ctx.Err() != nil || w.err != nil || w.st.More > 0 && !w.lenient() {
		return
	}
	r, ok := w.page(id, ownTree, at)
	if !ok || !w.load(&r, at) {
		return
	}
	at.page = id
	switch flags := binary.LittleEndian.Uint16(r.Data[8:]); flags {
	case format.FlagBranch:
		w.st.Branches += r.Pages
		w.branch(&r, at)
	case format.FlagLeaf:
		w.st.Leaves += r.Pages
		w.fits(&r, w.leaf(&r, at), at)
	default:
		w.addProblem(id, at.bucket, "is no node of the tree: flags %#x", flags)
	}
}

// load reads the element table of a node, and the whole node if it is small.
func (w *walker) load(r *PageRun, at place) bool {
	table := format.HeaderSize + 16*uint64(binary.LittleEndian.Uint16(r.Data[10:]))
	if table > r.size() {
		w.addProblem(r.ID, at.bucket, "%d elements do not fit", binary.LittleEndian.Uint16(r.Data[10:]))
		return false
	}
	if r.Pages == 1 {
		return true
	}
	r.Data = w.buffer(at.depth, int(min(r.size(), max(table, wholeRun))))
	if _, err := r.Reader.ReadAt(r.Data, int64(r.ID)*format.PageSize); err != nil {
		w.addProblem(r.ID, at.bucket, "cannot be read: %v", err)
		return false
	}
	return true
}

// fits checks that a node has as many pages as it needs. end is the offset at
// which its last element ends; 0 = not known.
func (w *walker) fits(r *PageRun, end uint64, at place) {
	if end != 0 && max(1, (end+format.PageSize-1)/format.PageSize) != r.Pages {
		w.addProblem(r.ID, at.bucket, "%d bytes take %d pages", end, r.Pages)
	}
}

// Element is one entry of a node's table.
type Element struct {
	Flags              uint32 // 1 = a bucket; else 0
	Offset             uint64 // of its key in the run
	KeySize, ValueSize uint64 // in bytes
	child              uint64
}

// LeafElement returns entry i of the element table of a leaf. b is the start of
// the leaf, and must include that entry.
func LeafElement(b []byte, i uint64) Element {
	off := format.HeaderSize + 16*i
	e := b[off:]
	return Element{
		Flags: binary.LittleEndian.Uint32(e), Offset: off + uint64(binary.LittleEndian.Uint32(e[4:])),
		KeySize: uint64(binary.LittleEndian.Uint32(e[8:])), ValueSize: uint64(binary.LittleEndian.Uint32(e[12:])),
	}
}

func branchElement(b []byte, i uint64) Element {
	off := format.HeaderSize + 16*i
	e := b[off:]
	return Element{
		Offset:  off + uint64(binary.LittleEndian.Uint32(e)),
		KeySize: uint64(binary.LittleEndian.Uint32(e[4:])),
		child:   binary.LittleEndian.Uint64(e[8:]),
	}
}

// lenient reports whether the walk salvages data. It then also visits keys
// whose order or place is wrong, and continues after any number of problems.
func (w *walker) lenient() bool { return w.visit != nil }

// order checks the elements of one node as they are read: each must begin at
// the end of the one before it, and keys must ascend within the range of the
// node.
type order struct {
	w    *walker
	r    *PageRun
	at   place
	next uint64 // offset at which the next element must begin
	prev []byte
}

// key returns the key of an element, and whether the walk may use it. It adds a
// problem for each fault.
func (o *order) key(i uint64, e Element) ([]byte, bool) {
	if e.KeySize == 0 || e.KeySize > MaxKey || e.Offset < format.HeaderSize {
		o.w.addProblem(o.r.ID, o.at.bucket, "element %d: a key of %d bytes at %d", i, e.KeySize, e.Offset)
		return nil, false
	}
	k, err := o.r.At(e.Offset, e.KeySize)
	if err != nil || e.ValueSize > o.r.size()-e.Offset-e.KeySize {
		o.w.addProblem(o.r.ID, o.at.bucket, "element %d reaches outside the page", i)
		return nil, false
	}
	sound := true
	if e.Offset != o.next {
		o.w.addProblem(o.r.ID, o.at.bucket, "element %d begins at %d, not at %d", i, e.Offset, o.next)
		sound = false
	}
	if !o.inOrder(k) {
		o.w.addProblem(o.r.ID, o.at.bucket, "key %d is out of order", i)
		sound = false
	}
	o.prev = k
	o.next = e.Offset + e.KeySize + e.ValueSize
	return k, sound || o.w.lenient()
}

func (o *order) inOrder(k []byte) bool {
	return !(o.prev != nil && bytes.Compare(o.prev, k) >= 0 ||
		o.at.lo != nil && bytes.Compare(k, o.at.lo) < 0 ||
		o.at.hi != nil && bytes.Compare(k, o.at.hi) >= 0)
}

// branch walks the children of a branch node whose table is sound.
func (w *walker) branch(r *PageRun, at place) {
	n := uint64(binary.LittleEndian.Uint16(r.Data[10:]))
	if n == 0 {
		w.addProblem(r.ID, at.bucket, "a branch without children")
		return
	}
	o := order{w: w, r: r, at: at, next: format.HeaderSize + 16*n}
	keys := make([][]byte, 0, n+1)
	children := make([]uint64, 0, n)
	for i := range n {
		e := branchElement(r.Data, i)
		k, ok := o.key(i, e)
		if !ok && !w.lenient() {
			return
		}
		if ok {
			keys = append(keys, k)
			children = append(children, e.child)
		}
	}
	w.fits(r, o.next, at)
	keys = append(keys, at.hi)
	for i, id := range children {
		below := at
		below.depth = at.depth + 1
		below.lo = keys[i]
		below.hi = keys[i+1]
		w.tree(id, below)
	}
}

// leaf checks the elements of a leaf. It returns the offset at which the last
// one ends, or 0 if it stopped before.
func (w *walker) leaf(r *PageRun, at place) uint64 {
	n := uint64(binary.LittleEndian.Uint16(r.Data[10:]))
	o := order{w: w, r: r, at: at, next: format.HeaderSize + 16*n}
	for i := range n {
		e := LeafElement(r.Data, i)
		k, ok := o.key(i, e)
		if !ok {
			if !w.lenient() {
				return 0
			}
			continue
		}
		w.value(r, at, e, k)
	}
	return o.next
}

// value checks the content of an element: a value or a bucket.
func (w *walker) value(r *PageRun, at place, e Element, k []byte) {
	switch {
	case e.Flags == 1:
		w.bucket(r, at, e, k)
	case e.Flags != 0:
		w.addProblem(r.ID, at.bucket, "an element has flags %#x", e.Flags)
	case !at.nested:
		w.addProblem(r.ID, at.bucket, "a value among the buckets")
	default:
		w.st.Keys++
		if w.census != nil {
			w.count(r, at, e, k)
		}
		if w.visit != nil && w.err == nil {
			read := func() ([]byte, error) { return r.At(e.Offset+e.KeySize, e.ValueSize) }
			w.err = w.visit(LeafValue{at.bucket, r.ID, k, int(e.ValueSize), read})
		}
	}
}

// count adds an element to the census.
func (w *walker) count(r *PageRun, at place, e Element, k []byte) {
	v, err := r.At(e.Offset+e.KeySize, min(e.ValueSize, format.IndexedLen))
	if err != nil {
		w.addProblem(r.ID, at.bucket, "cannot be read: %v", err)
		return
	}
	w.census.addKey(at.bucket, k, v)
}

// bucket walks a bucket, which is a separate tree or a small leaf inside the
// value.
func (w *walker) bucket(r *PageRun, at place, e Element, k []byte) {
	sub := place{bucket: string(k), page: r.ID, depth: at.depth + 1, nested: true}
	if at.nested {
		sub.bucket = at.bucket + "/" + sub.bucket
	}
	if e.ValueSize < format.HeaderSize || e.ValueSize > wholeRun {
		w.addProblem(r.ID, sub.bucket, "a bucket header of %d bytes", e.ValueSize)
		return
	}
	v, err := r.At(e.Offset+e.KeySize, e.ValueSize)
	if err != nil {
		w.addProblem(r.ID, sub.bucket, "cannot be read: %v", err)
		return
	}
	if root := binary.LittleEndian.Uint64(v); root != 0 {
		w.tree(root, sub)
		return
	}
	w.inline(r.ID, v[format.HeaderSize:], sub)
}

// inline walks a bucket that is small enough to be stored in its parent's leaf.
func (w *walker) inline(page uint64, b []byte, at place) {
	if len(b) < format.HeaderSize || binary.LittleEndian.Uint16(b[8:]) != format.FlagLeaf ||
		format.HeaderSize+16*int(binary.LittleEndian.Uint16(b[10:])) > len(b) {
		w.addProblem(page, at.bucket, "a damaged inline bucket")
		return
	}
	r := PageRun{ID: page, Pages: 1, Data: b}
	if end := w.leaf(&r, at); end != 0 && end != uint64(len(b)) {
		w.addProblem(page, at.bucket, "an inline bucket of %d bytes ends at %d", len(b), end)
	}
}
