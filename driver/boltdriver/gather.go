package boltdriver

import (
	"slices"

	"github.com/seshatdb/seshat/driver"
)

// groupSize is how many records of a page share the memory of their bodies and
// texts: enough that a page takes few allocations, and few enough that a record
// that is kept keeps little else.
const groupSize = 16

// gather makes the records of a page.
type gather struct {
	limit   int
	page    []driver.Record
	group   [groupSize]found // the newest of them, whose texts are still in the map
	n       int
	size    int // bytes of their texts
	nlabels int
}

// found is what a group holds of a record. It shares memory with the file's map.
type found struct {
	id, body []byte
	names
}

// add takes a record, of a verified value.
func (g *gather) add(ns uint64, id []byte, h *head, body []byte) {
	if len(g.page) == cap(g.page) {
		g.page = slices.Grow(g.page, min(g.limit-len(g.page), max(groupSize, 3*len(g.page))))
	}
	g.page = append(g.page, driver.Record{Key: driver.Key{Namespace: ns}})
	h.numbers(&g.page[len(g.page)-1])
	g.group[g.n] = found{id, body, h.names}
	g.n++
	g.size += len(id) + len(body) + h.size()
	g.nlabels += h.nlabels
	if g.n == groupSize {
		g.flush()
	}
}

// flush copies the texts of the group.
func (g *gather) flush() {
	if g.n == 0 {
		return
	}
	b := make([]byte, 0, g.size)
	labels := make([]driver.Label, 0, g.nlabels)
	from := len(g.page) - g.n
	for i := range g.group[:g.n] {
		f, r := &g.group[i], &g.page[from+i]
		at := len(b)
		b = append(b, f.body...)
		r.Body = b[at:len(b):len(b)]
		b, r.ID = appendText(b, f.id)
		used := len(labels)
		r.Labels = labels[used : used : used+f.nlabels]
		b = f.take(b, r)
		labels = labels[:used+f.nlabels]
	}
	g.n, g.size, g.nlabels = 0, 0, 0
}

// records ends the page.
func (g *gather) records() []driver.Record {
	g.flush()
	return g.page
}
