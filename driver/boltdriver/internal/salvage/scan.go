package salvage

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
)

func be64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// scan looks at every page that the walk did not find in order for elements
// whose value fits their key: no tree, no meta page.
func (s *salvager) scan(r io.ReaderAt, inTree func(page uint64) bool, pages uint64) error {
	b := make([]byte, format.PageSize)
	for id := uint64(2); id < pages; id++ {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if inTree(id) {
			continue
		}
		if _, err := r.ReadAt(b, int64(id)*format.PageSize); err != nil {
			continue // a page that cannot be read
		}
		switch binary.LittleEndian.Uint16(b[8:]) {
		case format.FlagBranch, format.FlagMeta, format.FlagFreelist:
			continue
		}
		n := min(uint64(binary.LittleEndian.Uint32(b[12:]))+1, pages-id, maxStored/format.PageSize+16)
		if err := s.scanPage(&fsck.PageRun{Reader: r, ID: id, Pages: n, Data: b}); err != nil {
			return err
		}
	}
	return nil
}

// scanPage stages the elements of what may be a leaf.
func (s *salvager) scanPage(r *fsck.PageRun) error {
	n := uint64(binary.LittleEndian.Uint16(r.Data[10:]))
	table, err := r.At(0, format.HeaderSize+16*n)
	if err != nil {
		table = r.Data
	}
	for i := uint64(0); format.HeaderSize+16*(i+1) <= uint64(len(table)); i++ {
		if i == n {
			return nil
		}
		e := fsck.LeafElement(table, i)
		if e.KeySize == 0 || e.KeySize > fsck.MaxKey || e.ValueSize > maxStored {
			continue
		}
		k, err := r.At(e.Offset, e.KeySize)
		if err != nil {
			continue
		}
		v, err := r.At(e.Offset+e.KeySize, e.ValueSize)
		if err != nil {
			continue
		}
		if err := s.takeFromPage(k, v); err != nil {
			return err
		}
		if inner, ok := inlinePage(e, v); ok && r.Reader != nil {
			if err := s.scanPage(&fsck.PageRun{ID: r.ID, Pages: 1, Data: inner}); err != nil {
				return err
			}
		}
	}
	return nil
}

// inlinePage returns the page of a bucket that lives in its parent's leaf.
func inlinePage(e fsck.Element, v []byte) ([]byte, bool) {
	if e.Flags != 1 || len(v) < 2*format.HeaderSize || binary.LittleEndian.Uint64(v) != 0 {
		return nil, false
	}
	return v[format.HeaderSize:], true
}

// scanned are the buckets whose values are looked for outside the tree, those
// whose values are told apart most surely first.
var scanned = [...]format.Bucket{
	format.Records, format.Log, format.Entries, format.IDs, format.Feed, format.Counts, format.Marks, format.Meta,
}

// takeFromPage stages a value found outside the tree, if what it can be is
// missing from the tree.
func (s *salvager) takeFromPage(key, v []byte) error {
	for _, b := range scanned {
		if !plausible(b, key, v) {
			continue
		}
		if !s.hurt[b] {
			return nil
		}
		old, err := s.stage.get(b, key)
		if err != nil || old != nil && (s.fate(b, key) == Whole || !isNewer(b, key, v, old)) {
			return err
		}
		s.doubtful[s.hash(b, key)] = true
		return s.stage.put(b, key, v)
	}
	return nil
}

// plausible says whether a value of unknown kind is a sound one of bucket b.
// Marks that only say what Reclaim has to do are not taken from old pages.
func plausible(b format.Bucket, key, v []byte) bool {
	if !format.HasElements(b, v) {
		return false
	}
	switch b {
	case format.Meta:
		return string(key) == string(format.ClockKey) && isSound(b, key, v)
	case format.Marks:
		if len(key) <= 8 {
			return false
		}
		taken := key[0] == format.ErasedNamespace || key[0] == format.ErasedUser || key[0] == format.Hole
		return taken && fitsMark(key, v)
	}
	return isSound(b, key, v)
}

// isNewer says whether v, of two uncertain values of a key, is the later one.
// If nothing tells, the first one found stays.
func isNewer(b format.Bucket, key, v, old []byte) bool {
	switch b {
	case format.Records:
		var x, y format.RecordHeader
		format.ReadHeader(key, v, &x)
		format.ReadHeader(key, old, &y)
		if x.Incarnation != y.Incarnation {
			return string(x.Incarnation[:]) > string(y.Incarnation[:])
		}
		return x.Version > y.Version || x.Version == y.Version && x.NextSeq > y.NextSeq
	case format.Counts:
		x, _ := format.ReadCounters(key, v)
		y, _ := format.ReadCounters(key, old)
		return x.Head > y.Head || x.Epoch > y.Epoch
	case format.Marks:
		x, _ := format.ReadErasure(key, v)
		y, _ := format.ReadErasure(key, old)
		return x.Epoch > y.Epoch
	case format.Meta:
		x, _ := format.ReadNumber(key, v)
		y, _ := format.ReadNumber(key, old)
		return x > y
	}
	return false
}

// nameRecord is how a Piece names a record.
func nameRecord(key []byte) string {
	k, ok := format.ParseRecordKey(key)
	if !ok {
		return fmt.Sprintf("%x", key)
	}
	return fmt.Sprintf("namespace %d, record %q", k.Namespace, k.ID)
}

func nameMessage(ns uint64, inc driver.Incarnation, seq uint64) string {
	return fmt.Sprintf("namespace %d, incarnation %x, message %d", ns, inc[:], seq)
}
