// Package crash simulates power failures. It records what a store's process
// writes to its file and when it syncs, makes every kind of image that a power
// failure could have left, and opens each image.
package crash

import "math/rand/v2"

const sector = 512 // a disk writes a sector whole or not at all

// event is an operation on the file or a message of the writer.
type event struct {
	kind eventKind
	file uint64 // its inode
	off  int64
	data []byte // of a write
	n    int    // new size, or number of the step
	text string // of a failure
}

type eventKind uint8

const (
	wrote     eventKind = iota
	resized             // to n bytes
	synced              // all of the file before it is on the disk
	named               // the file got the store's name
	dirSynced           // and keeps it
	opened              // a file was opened, or made
	broke               // a call was made to fail, or the process killed
	acked               // step n is said to be durable
	failed              // step n returned an error
)

// image is the content of a file. Bytes beyond data, up to size, are zero.
type image struct {
	data []byte
	size int64
}

func (im *image) write(off int64, data []byte) {
	end := off + int64(len(data))
	if grow := end - int64(len(im.data)); grow > 0 {
		im.data = append(im.data, make([]byte, grow)...)
	}
	copy(im.data[off:], data)
	im.size = max(im.size, end)
}

func (im *image) apply(e event) {
	switch e.kind {
	case wrote:
		im.write(e.off, e.data)
	case resized:
		im.size = int64(e.n)
		im.data = im.data[:min(len(im.data), e.n)]
	}
}

func (im *image) clone() *image {
	return &image{append([]byte(nil), im.data...), im.size}
}

// cut selects the unsynced writes that reached the disk.
type cut struct {
	name string
	take func(write, sector int) bool
	size bool // the file's new size reached the disk
	junk bool // sectors that were not written hold garbage where the file grew
}

// make returns the image that the cut leaves.
func (c cut) make(base *image, pending []event, r *rand.Rand) *image {
	im := base.clone()
	if c.size {
		c.grow(im, pending, r)
	}
	for i, e := range pending {
		if e.kind == resized {
			if c.take(i, 0) {
				im.apply(e)
			}
			continue
		}
		for j := 0; j*sector < len(e.data); j++ {
			if c.take(i, j) {
				im.write(e.off+int64(j*sector), e.data[j*sector:min((j+1)*sector, len(e.data))])
			}
		}
	}
	return im
}

// grow gives the image the size of the file after the pending writes.
func (c cut) grow(im *image, pending []event, r *rand.Rand) {
	old := im.size
	for _, e := range pending {
		switch e.kind {
		case resized:
			im.size = max(im.size, int64(e.n))
		case wrote:
			im.size = max(im.size, e.off+int64(len(e.data)))
			if off := max(e.off, old); c.junk && off < e.off+int64(len(e.data)) {
				junk := make([]byte, e.off+int64(len(e.data))-off)
				for i := range junk {
					junk[i] = byte(r.Uint32())
				}
				im.write(off, junk)
			}
		}
	}
}

// cuts returns the ways in which a power failure may treat n pending writes:
// each subset if they are few, else each prefix, each but one and each alone;
// the size without the data; each write torn; and random sectors.
func cuts(pending []event, random int, r *rand.Rand) []cut {
	n := len(pending)
	all := []cut{{name: "nothing", take: func(int, int) bool { return false }}}
	if n == 0 {
		return all
	}
	all = append(all, cut{"size", all[0].take, true, false}, cut{"size and junk", all[0].take, true, true})
	if n <= 6 {
		for m := 1; m < 1<<n; m++ {
			all = append(all, cut{name: "subset", take: func(i, _ int) bool { return m>>i&1 == 1 }})
		}
	} else {
		for k := range n {
			all = append(all,
				cut{name: "prefix", take: func(i, _ int) bool { return i <= k }},
				cut{name: "all but one", take: func(i, _ int) bool { return i != k }},
				cut{name: "one", take: func(i, _ int) bool { return i == k }})
		}
	}
	for k := range n {
		all = append(all, torn(pending, k)...)
	}
	for x := range random {
		all = append(all, randomCut(pending, x, r))
	}
	return all
}

// torn returns cuts that tear write k, at its start, middle and end.
func torn(pending []event, k int) (all []cut) {
	sectors := (len(pending[k].data) + sector - 1) / sector
	for at := 1; at < sectors; at += max(1, sectors/4) {
		all = append(all,
			cut{name: "torn head", take: func(i, j int) bool { return i < k || i == k && j < at }},
			cut{name: "torn tail", take: func(i, j int) bool { return i != k || j >= at }})
	}
	return all
}

// randomCut takes each sector or not, at one of three rates.
func randomCut(pending []event, x int, r *rand.Rand) cut {
	rate := []float64{.1, .5, .9}[x%3]
	taken := make([][]bool, len(pending))
	for i, e := range pending {
		taken[i] = make([]bool, len(e.data)/sector+1)
		for j := range taken[i] {
			taken[i][j] = r.Float64() < rate
		}
	}
	return cut{name: "random sectors", take: func(i, j int) bool { return taken[i][j] }, size: x%2 == 0, junk: x%4 == 0}
}
