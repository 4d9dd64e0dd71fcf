package powercut

import (
	"math/rand/v2"
	"slices"
)

const sector = 512 // a medium writes a sector whole or not at all

// content is the content of a file, both as programs read it and as the medium
// has it.
type content struct {
	now, kept []byte
	pending   []change // changes since kept and now were equal, in order
	written   int      // end of the written range; beyond it, the file has no space yet
}

// change is a write or, without data, a new size.
type change struct {
	at   int // or the size
	data []byte
}

func (c change) apply(b []byte) []byte {
	if c.data == nil {
		return resized(b, c.at)
	}
	if end := c.at + len(c.data); end > len(b) {
		b = resized(b, end)
	}
	copy(b[c.at:], c.data)
	return b
}

func resized(b []byte, size int) []byte {
	if size <= len(b) {
		return b[:size]
	}
	old := len(b)
	b = slices.Grow(b, size-old)[:size]
	clear(b[old:])
	return b
}

// sectors calls fn for each sector of a write.
func (c change) sectors(fn func(piece change)) {
	for from := 0; from < len(c.data); {
		to := min(len(c.data), from+sector-(c.at+from)%sector)
		fn(change{c.at + from, c.data[from:to]})
		from = to
	}
}

func (c *content) change(x change) {
	c.now = x.apply(c.now)
	c.pending = append(c.pending, x)
	if x.data == nil {
		c.written = min(c.written, x.at)
	} else {
		c.written = max(c.written, x.at+len(x.data))
	}
}

func (c *content) sync() {
	for _, x := range c.pending {
		c.kept = x.apply(c.kept)
	}
	c.pending = nil
}

// failSync treats the pending changes as clean, like kernels do after a failed
// sync. Some of them reached the medium, and no later sync writes the rest.
func (c *content) failSync(r *rand.Rand) {
	c.kept = c.scattered(r, 0.5)
	c.pending = nil
}

// cut returns the content after a loss of power.
func (c *content) cut(r *rand.Rand, inOrder bool) []byte {
	if inOrder {
		return c.prefix(r)
	}
	switch r.IntN(6) {
	case 0: // nothing of what is pending
		return slices.Clone(c.kept)
	case 1: // all of it
		return slices.Clone(c.now)
	case 2:
		return c.prefix(r)
	}
	return c.scattered(r, []float64{0.1, 0.5, 0.9}[r.IntN(3)])
}

// prefix applies the first few pending changes.
func (c *content) prefix(r *rand.Rand) []byte {
	left := slices.Clone(c.kept)
	for _, x := range c.pending[:r.IntN(len(c.pending)+1)] {
		left = x.apply(left)
	}
	return left
}

// scattered keeps each pending sector with probability p, and one of the sizes
// of the file. If the file grew and a sector is missing, zeros or old data of
// the medium take its place.
func (c *content) scattered(r *rand.Rand, p float64) []byte {
	left := slices.Clone(c.kept)
	old := len(left)
	left = resized(left, c.sizeAfter(r.IntN(len(c.pending)+1)))
	if len(left) > old && r.IntN(3) == 0 {
		for i := old; i < len(left); i++ {
			left[i] = byte(r.Uint32())
		}
	}
	for _, x := range c.pending {
		x.sectors(func(piece change) {
			if r.Float64() < p && piece.at < len(left) {
				copy(left[piece.at:], piece.data)
			}
		})
	}
	return left
}

// sizeAfter returns the file's size after the first n pending changes.
func (c *content) sizeAfter(n int) int {
	size := len(c.kept)
	for _, x := range c.pending[:n] {
		if x.data == nil {
			size = x.at
		} else {
			size = max(size, x.at+len(x.data))
		}
	}
	return size
}
