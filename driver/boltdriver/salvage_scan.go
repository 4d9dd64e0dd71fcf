package boltdriver

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/seshatdb/seshat/driver"
)

func be64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// scan looks at every page that the walk did not find in order for elements
// whose value fits their key: no tree, no meta page.
func (s *salvager) scan(r io.ReaderAt, inTree func(page uint64) bool, pages uint64) error {
	b := make([]byte, pageSize)
	for id := uint64(2); id < pages; id++ {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if inTree(id) {
			continue
		}
		if _, err := r.ReadAt(b, int64(id)*pageSize); err != nil {
			continue // a page that cannot be read
		}
		switch littleEndian.Uint16(b[8:]) {
		case flagBranch, flagMeta, flagFreelist:
			continue
		}
		n := min(uint64(littleEndian.Uint32(b[12:]))+1, pages-id, maxStored/pageSize+16)
		if err := s.scanPage(&pageRun{r: r, id: id, pages: n, b: b}); err != nil {
			return err
		}
	}
	return nil
}

// scanPage stages the elements of what may be a leaf.
func (s *salvager) scanPage(r *pageRun) error {
	n := uint64(littleEndian.Uint16(r.b[10:]))
	table, err := r.at(0, headerSize+16*n)
	if err != nil {
		table = r.b
	}
	for i := uint64(0); headerSize+16*(i+1) <= uint64(len(table)); i++ {
		if i == n {
			return nil
		}
		e := leafElement(table, i)
		if e.key == 0 || e.key > maxKey || e.size > maxStored {
			continue
		}
		k, err := r.at(e.data, e.key)
		if err != nil {
			continue
		}
		v, err := r.at(e.data+e.key, e.size)
		if err != nil {
			continue
		}
		if err := s.takeFromPage(k, v); err != nil {
			return err
		}
		if inner, ok := inlinePage(e, v); ok && r.r != nil {
			if err := s.scanPage(&pageRun{id: r.id, pages: 1, b: inner}); err != nil {
				return err
			}
		}
	}
	return nil
}

// inlinePage returns the page of a bucket that lives in its parent's leaf.
func inlinePage(e element, v []byte) ([]byte, bool) {
	if e.flags != 1 || len(v) < 2*headerSize || littleEndian.Uint64(v) != 0 {
		return nil, false
	}
	return v[headerSize:], true
}

// takeFromPage stages a value found outside the tree, if what it can be is
// missing from the tree.
func (s *salvager) takeFromPage(key, v []byte) error {
	for _, b := range []bucket{bRecords, bLog, bEntries, bIDs, bFeed, bCounters, bMarks, bMeta} {
		if !plausible(b, key, v) {
			continue
		}
		if !s.hurt[b] {
			return nil
		}
		old, err := s.stage.get(b, key)
		if err != nil || old != nil && (s.fate(b, key) == fateWhole || !isNewer(b, key, v, old)) {
			return err
		}
		s.doubtful[s.hash(b, key)] = true
		return s.stage.put(b, key, v)
	}
	return nil
}

// plausible says whether a value of unknown kind is a sound one of bucket b.
// Marks that only say what Reclaim has to do are not taken from old pages.
func plausible(b bucket, key, v []byte) bool {
	if !hasElements(b, v) {
		return false
	}
	switch b {
	case bMeta:
		return string(key) == string(metaClock) && isSound(b, key, v)
	case bMarks:
		return len(key) > 8 && (key[0] == markNamespace || key[0] == markUser || key[0] == markHole) && fitsMark(key, v)
	}
	return isSound(b, key, v)
}

// isNewer says whether v, of two uncertain values of a key, is the later one.
// Where nothing tells, the first one found stays.
func isNewer(b bucket, key, v, old []byte) bool {
	switch b {
	case bRecords:
		var x, y recordHeader
		readHead(key, v, &x)
		readHead(key, old, &y)
		if x.inc != y.inc {
			return string(x.inc[:]) > string(y.inc[:])
		}
		return x.version > y.version || x.version == y.version && x.nextSeq > y.nextSeq
	case bCounters:
		x, _ := readCounters(key, v)
		y, _ := readCounters(key, old)
		return x.head > y.head || x.epoch > y.epoch
	case bMarks:
		x, _ := readErasure(key, v)
		y, _ := readErasure(key, old)
		return x.epoch > y.epoch
	case bMeta:
		x, _ := readNumber(key, v)
		y, _ := readNumber(key, old)
		return x > y
	}
	return false
}

// nameRecord is how a Piece names a record.
func nameRecord(key []byte) string {
	k, ok := parseRecordKey(key)
	if !ok {
		return fmt.Sprintf("%x", key)
	}
	return fmt.Sprintf("namespace %d, record %q", k.Namespace, k.ID)
}

func nameMessage(ns uint64, inc driver.Incarnation, seq uint64) string {
	return fmt.Sprintf("namespace %d, incarnation %x, message %d", ns, inc[:], seq)
}
