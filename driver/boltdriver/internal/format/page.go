package format

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
)

// The engine's format: two meta pages, written in turn. The one with the higher
// transaction number is in force.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	// HeaderSize is the length of a page's header, in bytes.
	HeaderSize = 16
	// MetaSize is the length of what a meta page holds after its header, in
	// bytes.
	MetaSize = 64
	// NoFreelist is the page of the list of free pages in a file that does not
	// store it.
	NoFreelist = ^uint64(0)
	// FlagBranch marks a page that is an inner node of a tree.
	FlagBranch = 0x01
	// FlagLeaf marks a page that is a leaf of a tree.
	FlagLeaf = 0x02
	// FlagMeta marks a meta page.
	FlagMeta = 0x04
	// FlagFreelist marks a page that lists the free pages.
	FlagFreelist = 0x10
)

var littleEndian = binary.LittleEndian

// MetaPage is one meta page.
type MetaPage struct {
	Page     uint64 // where it is, 0 or 1
	PageSize uint64 // in bytes
	Root     uint64 // the page of the root bucket
	Freelist uint64 // the page of the list of free pages
	InUse    uint64 // pages in use: the first number that is not
	TxID     uint64 // the transaction that wrote it
	Magic    bool   // it was written as a meta page once
	Sound    bool   // and its checksum fits
}

// ParseMeta reads a meta page. b is the page, or at least its first 80 bytes.
func ParseMeta(b []byte, page uint64) MetaPage {
	if len(b) < HeaderSize+MetaSize {
		return MetaPage{}
	}
	x := b[HeaderSize:]
	h := fnv.New64a()
	h.Write(x[:56])
	m := MetaPage{
		Page:     page,
		PageSize: uint64(littleEndian.Uint32(x[8:])),
		Root:     littleEndian.Uint64(x[16:]),
		Freelist: littleEndian.Uint64(x[32:]),
		InUse:    littleEndian.Uint64(x[40:]),
		TxID:     littleEndian.Uint64(x[48:]),
		Magic:    littleEndian.Uint32(x) == boltMagic,
	}
	m.Sound = m.Magic && littleEndian.Uint32(x[4:]) == boltVersion && h.Sum64() == littleEndian.Uint64(x[56:]) &&
		littleEndian.Uint64(b) == page && littleEndian.Uint16(b[8:]) == FlagMeta
	return m
}

// ReadMetas reads both meta pages with plain reads.
func ReadMetas(r io.ReaderAt) (m [2]MetaPage, err error) {
	b := make([]byte, 2*PageSize)
	n, err := r.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return m, err
	}
	b = b[:n]
	for i := range m {
		if len(b) >= i*PageSize {
			m[i] = ParseMeta(b[i*PageSize:], uint64(i))
		}
	}
	return m, nil
}

// NewestMeta is the meta page in force.
func NewestMeta(m [2]MetaPage) MetaPage {
	if m[1].Sound && (!m[0].Sound || m[1].TxID > m[0].TxID) {
		return m[1]
	}
	return m[0]
}
