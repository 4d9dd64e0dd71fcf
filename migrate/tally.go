package migrate

import (
	"cmp"
	"crypto/sha256"
	"encoding"
	"hash"
	"slices"

	"github.com/seshatdb/seshat/driver"
)

// Sums counts the contents of stores.
type Sums struct {
	Sessions uint64 `json:"sessions"` // including expired ones that were not swept
	Messages uint64 `json:"messages"` // of sessions and of staged logs
	Bytes    uint64 `json:"bytes"`    // bytes of the bodies of sessions and messages
	// All copied parts, including entries, events and message ids.
	Parts uint64 `json:"parts"`
}

func (s *Sums) add(p *driver.Part) {
	s.Parts++
	switch p.Kind {
	case driver.PartRecord:
		s.Sessions++
		s.Bytes += uint64(len(p.Record.Body))
	case driver.PartMessage:
		s.Messages++
		s.Bytes += uint64(len(p.Message.Body))
	case driver.PartClock, driver.PartFeed, driver.PartEvent, driver.PartStage, driver.PartEntry, driver.PartRef:
		// Other kinds count only as parts.
	}
}

// Digest is a SHA-256 sum.
type Digest [sha256.Size]byte

// tally sums up parts in their order.
type tally struct {
	Sums
	all    hash.Hash
	spaces map[uint64]*Namespace // nil = not wanted
	buf    []byte
}

func newTally() *tally { return &tally{all: sha256.New()} }

// add counts p and returns its encoding, which is valid until the next call.
func (t *tally) add(p *driver.Part) []byte {
	t.Sums.add(p)
	t.buf = appendPart(t.buf[:0], p)
	sum := sha256.Sum256(t.buf)
	t.all.Write(sum[:])
	if t.spaces != nil {
		t.space(p, &sum)
	}
	return t.buf
}

// space adds p to the sums of its namespace. Each part occurs once, so the
// order in which sums are added does not matter.
func (t *tally) space(p *driver.Part, sum *[sha256.Size]byte) {
	n := t.spaces[p.Namespace]
	if n == nil {
		n = &Namespace{Ordinal: p.Namespace}
		t.spaces[p.Namespace] = n
	}
	n.Sums.add(p)
	for i := range n.Digest {
		n.Digest[i] ^= sum[i]
	}
}

func (t *tally) digest() (d Digest) {
	t.all.Sum(d[:0])
	return d
}

// namespaces returns the sums of all namespaces, by Ordinal.
func (t *tally) namespaces() (all []Namespace) {
	for _, n := range t.spaces {
		all = append(all, *n)
	}
	slices.SortFunc(all, func(a, b Namespace) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	return all
}

// state returns the state of the digest for restore.
func (t *tally) state() ([]byte, error) { return t.all.(encoding.BinaryMarshaler).MarshalBinary() }

func (t *tally) restore(state []byte) error {
	return t.all.(encoding.BinaryUnmarshaler).UnmarshalBinary(state)
}
