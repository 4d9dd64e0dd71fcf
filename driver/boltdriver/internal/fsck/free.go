package fsck

import (
	"encoding/binary"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// freelist checks the list of free pages: ascending, within the file, and none
// of them in use.
func (w *walker) freelist(id uint64) {
	r, ok := w.page(id, ownList, place{})
	if !ok {
		return
	}
	w.st.listed += r.Pages
	if flags := binary.LittleEndian.Uint16(r.Data[8:]); flags != format.FlagFreelist {
		w.addProblem(id, "", "is no freelist: flags %#x", flags)
		return
	}
	n, off := listLength(r.Data)
	if !ListFits(r.Data, r.size()) {
		w.addProblem(id, "", "a freelist of %d pages does not fit", n)
		return
	}
	w.freePages(&r, off, n)
}

// listLength reads from the head of a freelist how many pages it has, and where
// they begin.
func listLength(b []byte) (n, off uint64) {
	n = uint64(binary.LittleEndian.Uint16(b[10:]))
	off = format.HeaderSize
	if n == manyFree {
		n = binary.LittleEndian.Uint64(b[format.HeaderSize:])
		off = format.HeaderSize + 8
	}
	return n, off
}

// manyFree says that the number of free pages stands before them.
const manyFree = 0xFFFF

// ListFits reports whether the freelist that begins with b fits in size bytes.
func ListFits(b []byte, size uint64) bool {
	n, off := listLength(b)
	return n <= (size-off)/8 && (off == format.HeaderSize || n >= manyFree)
}

// freePages reads the list in pieces, so that a long one needs no long buffer.
func (w *walker) freePages(r *PageRun, off, n uint64) {
	const step = wholeRun / 8
	last := uint64(1)
	for done := uint64(0); done < n; done += step {
		c := min(step, n-done)
		b, err := r.At(off+8*done, 8*c)
		if err != nil {
			w.addProblem(r.ID, "", "cannot be read: %v", err)
			return
		}
		for i := range c {
			id := binary.LittleEndian.Uint64(b[8*i:])
			if id <= last || id >= w.high {
				w.addProblem(r.ID, "", "free page %d after %d, of %d", id, last, w.high)
				return
			}
			if _, ok := w.owner.claim(id, 1, ownFree); !ok {
				w.addProblem(id, "", "is free and in use")
				return
			}
			last = id
			w.st.Free++
		}
	}
}

// owners says what each page is used for. Its memory grows with the pages
// claimed and not with the file, whose length a damaged or sparse file may lie
// about.
type owners struct {
	chunks map[uint64]*[ownerChunk]byte
	at     uint64 // of last
	last   *[ownerChunk]byte
}

const ownerChunk = 1 << 14

func (o *owners) chunk(id uint64) *[ownerChunk]byte {
	n := id / ownerChunk
	if o.last != nil && o.at == n {
		return o.last
	}
	if o.chunks == nil {
		o.chunks = map[uint64]*[ownerChunk]byte{}
	}
	c := o.chunks[n]
	if c == nil {
		c = new([ownerChunk]byte)
		o.chunks[n] = c
	}
	o.at = n
	o.last = c
	return c
}

func (o *owners) get(id uint64) byte { return o.chunk(id)[id%ownerChunk] }

func (o *owners) set(id, n uint64, as byte) {
	for i := id; i < id+n; i++ {
		o.chunk(i)[i%ownerChunk] = as
	}
}

// claim marks n pages from id, or returns the first that is taken and marks
// none.
func (o *owners) claim(id, n uint64, as byte) (uint64, bool) {
	for i := id; i < id+n; i++ {
		if o.get(i) != ownNone {
			return i, false
		}
	}
	o.set(id, n, as)
	return 0, true
}
