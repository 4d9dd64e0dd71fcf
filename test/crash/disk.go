package crash

import "math/rand/v2"

// page is the unit that the system writes back, or drops after a failed sync.
const page = 4096

// disk is a file as a power failure can leave it. Its base is durable, and its
// pending writes may be. Writes that a failed sync dropped from memory may have
// reached the disk, but no later sync writes them.
type disk struct {
	base    image
	dropped []event
	pending []event

	before, after reply // what base shows, and what it shows with all that is pending
}

// synced makes the pending writes durable. What they cover is theirs, whatever
// became of what was dropped.
func (d *disk) synced() {
	for _, w := range d.pending {
		d.base.apply(w)
		d.dropped = without(d.dropped, w)
	}
	d.pending = d.pending[:0]
	d.before = d.after
}

// broke drops the pending writes page by page. New sizes stay, because they
// belong to the file system's journal.
func (d *disk) broke() {
	var sizes []event
	for _, w := range d.pending {
		if w.kind == resized {
			sizes = append(sizes, w)
			continue
		}
		for at := 0; at < len(w.data); at += page {
			part := w
			part.off = w.off + int64(at)
			part.data = w.data[at:min(at+page, len(w.data))]
			d.dropped = append(without(d.dropped, part), part)
		}
	}
	d.pending = sizes
}

// without returns the pages that w does not cover.
func without(pages []event, w event) (rest []event) {
	for _, p := range pages {
		if w.kind != wrote || p.off < w.off || p.off+int64(len(p.data)) > w.off+int64(len(w.data)) {
			rest = append(rest, p)
		}
	}
	return rest
}

// cut returns the image that the cut leaves.
func (d *disk) cut(c cut, r *rand.Rand) *image {
	if len(d.dropped) == 0 {
		return c.make(&d.base, d.pending, r)
	}
	base := d.base.clone()
	rate := []float64{0, .5, 1}[r.IntN(3)]
	for _, p := range d.dropped {
		if r.Float64() < rate {
			base.apply(p)
		}
	}
	return c.make(base, d.pending, r)
}
