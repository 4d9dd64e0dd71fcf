package boltdriver

import (
	"slices"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// groupSize is how many records of a page share the memory of their bodies and
// texts: enough that a page takes few allocations, and few enough that a record
// that is kept keeps little else.
const groupSize = 16

// pageBuilder makes the records of a page.
type pageBuilder struct {
	limit   int
	page    []driver.Record
	group   [groupSize]pageItem // the newest of them, whose texts are still in the map
	n       int
	size    int // bytes of their texts
	nlabels int // for which the records have no room
}

// pageItem is what a group holds of a record. It shares memory with the file's
// map.
type pageItem struct {
	id, body []byte
	format.HeaderTexts
}

// add takes a record, of a verified value.
func (g *pageBuilder) add(ns uint64, id []byte, h *format.RecordHeader, body []byte) {
	r := g.next()
	r.Namespace = ns
	h.CopyNumbers(r)
	g.group[g.n] = pageItem{id, body, h.HeaderTexts}
	g.n++
	g.size += len(id) + len(body) + len(h.Raw)
	if cap(r.Labels) < h.LabelCount {
		g.nlabels += h.LabelCount
	}
	if g.n == groupSize {
		g.flush()
	}
}

// next returns the page's next record, of which only the memory of its labels
// is not new.
func (g *pageBuilder) next() *driver.Record {
	n := len(g.page)
	if n == cap(g.page) {
		g.page = slices.Grow(g.page, min(g.limit-n, max(groupSize, 3*n)))
	}
	g.page = g.page[:n+1]
	r := &g.page[n]
	*r = driver.Record{Labels: r.Labels[:0]}
	return r
}

// flush copies the texts of the group.
func (g *pageBuilder) flush() {
	if g.n == 0 {
		return
	}
	b := make([]byte, 0, g.size)
	labels := make([]driver.Label, g.nlabels)
	from := len(g.page) - g.n
	for i := range g.group[:g.n] {
		f := &g.group[i]
		r := &g.page[from+i]
		at := len(b)
		b = append(b, f.body...)
		r.Body = b[at:len(b):len(b)]
		b, r.ID = format.AppendText(b, f.id)
		if n := f.LabelCount; cap(r.Labels) < n {
			r.Labels = labels[:0:n]
			labels = labels[n:]
		}
		b = f.CopyTo(b, r)
	}
	g.n = 0
	g.size = 0
	g.nlabels = 0
}

// records ends the page.
func (g *pageBuilder) records() []driver.Record {
	g.flush()
	return g.page
}
