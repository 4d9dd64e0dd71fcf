package boltdriver

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
)

// The engine's format: two meta pages, written in turn. The one with the higher
// transaction number is in force.
const (
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
	headerSize   = 16 // of a page
	metaSize     = 64 // after the header
	noFreelist   = ^uint64(0)
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10
)

var littleEndian = binary.LittleEndian

// meta is one meta page.
type meta struct {
	page     uint64 // where it is, 0 or 1
	pageSize uint64
	root     uint64
	freelist uint64
	high     uint64 // pages in use: the first number that is not
	txid     uint64
	magic    bool // it was written as a meta page once
	sound    bool // and its checksum fits
}

// parseMeta reads a meta page. b is the page, or at least its first 80 bytes.
func parseMeta(b []byte, page uint64) meta {
	if len(b) < headerSize+metaSize {
		return meta{}
	}
	x := b[headerSize:]
	h := fnv.New64a()
	h.Write(x[:56])
	m := meta{
		page:     page,
		pageSize: uint64(littleEndian.Uint32(x[8:])),
		root:     littleEndian.Uint64(x[16:]),
		freelist: littleEndian.Uint64(x[32:]),
		high:     littleEndian.Uint64(x[40:]),
		txid:     littleEndian.Uint64(x[48:]),
		magic:    littleEndian.Uint32(x) == boltMagic,
	}
	m.sound = m.magic && littleEndian.Uint32(x[4:]) == boltVersion && h.Sum64() == littleEndian.Uint64(x[56:]) &&
		littleEndian.Uint64(b) == page && littleEndian.Uint16(b[8:]) == flagMeta
	return m
}

// readMetas reads both meta pages with plain reads.
func readMetas(r io.ReaderAt) (m [2]meta, err error) {
	b := make([]byte, 2*pageSize)
	n, err := r.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return m, err
	}
	b = b[:n]
	for i := range m {
		if len(b) >= i*pageSize {
			m[i] = parseMeta(b[i*pageSize:], uint64(i))
		}
	}
	return m, nil
}

// newestMeta is the meta page in force.
func newestMeta(m [2]meta) meta {
	if m[1].sound && (!m[0].sound || m[1].txid > m[0].txid) {
		return m[1]
	}
	return m[0]
}
