package format

import (
	"encoding/binary"
	"hash/crc32"
	"unsafe"
)

// Every value in the file is one msgpack array whose first element is a CRC-32C
// over its key and all bytes after that element. The forms are of fixed width
// where msgpack offers a choice, so that fields sit at fixed places.
const (
	wireArray16 = 0xdc
	wireMap16   = 0xde
	wireUint8   = 0xcc
	wireUint32  = 0xce
	wireUint64  = 0xcf
	wireInt64   = 0xd3
	wireBin8    = 0xc4
	wireBin32   = 0xc6
	wireStr8    = 0xd9

	envelopeSize = 3 + 5 // after the array's header and the checksum
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, b []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, b)
}

// appendEnvelope begins a document of n elements, the checksum included.
func appendEnvelope(b []byte, n int) []byte {
	return append(b, wireArray16, byte(n>>8), byte(n), wireUint32, 0, 0, 0, 0)
}

// seal sets the checksum of the document that doc is.
func seal(key, doc []byte) {
	binary.BigEndian.PutUint32(doc[4:], checksum(key, doc[envelopeSize:]))
}

func appendU8(b []byte, v uint8) []byte { return append(b, wireUint8, v) }
func appendU32(b []byte, v uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, wireUint32), v)
}

func appendU64(b []byte, v uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, wireUint64), v)
}

func appendI64(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, wireInt64), uint64(v))
}

func appendStr(b []byte, s string) []byte { return append(append(b, wireStr8, byte(len(s))), s...) }

func appendBin16(b []byte, v [16]byte) []byte { return append(append(b, wireBin8, 16), v[:]...) }

func appendBin(b, v []byte) []byte {
	return append(binary.BigEndian.AppendUint32(append(b, wireBin32), uint32(len(v))), v...)
}

// fixedReader reads a document's elements in turn. After an element that is not
// of the wanted form, bad is set and all answers are zero.
type fixedReader struct {
	b   []byte
	n   int // elements left
	bad bool
}

// open starts to read v, whose elements after the checksum are at least n. It
// does not verify the checksum.
func open(v []byte, n int) fixedReader {
	if len(v) < envelopeSize || v[0] != wireArray16 || v[3] != wireUint32 {
		return fixedReader{bad: true}
	}
	have := int(binary.BigEndian.Uint16(v[1:])) - 1
	return fixedReader{b: v[envelopeSize:], n: have, bad: have < n}
}

// openSealed is open for a document whose checksum must hold.
func openSealed(key, v []byte, n int) fixedReader {
	w := open(v, n)
	w.bad = w.bad || binary.BigEndian.Uint32(v[4:]) != checksum(key, v[envelopeSize:])
	return w
}

// take returns the next element's size bytes after its form byte.
func (w *fixedReader) take(form byte, size int) []byte {
	if w.bad || len(w.b) < 1+size || w.b[0] != form {
		w.bad = true
		return nil
	}
	v := w.b[1 : 1+size]
	w.b = w.b[1+size:]
	w.n--
	return v
}

// more returns the next size bytes, which belong to the element just taken.
func (w *fixedReader) more(size int) []byte {
	if w.bad || size < 0 || len(w.b) < size {
		w.bad = true
		return nil
	}
	v := w.b[:size]
	w.b = w.b[size:]
	return v
}

func (w *fixedReader) u8() uint8 {
	if v := w.take(wireUint8, 1); v != nil {
		return v[0]
	}
	return 0
}

func (w *fixedReader) u64() uint64 {
	if v := w.take(wireUint64, 8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (w *fixedReader) i64() int64 {
	if v := w.take(wireInt64, 8); v != nil {
		return int64(binary.BigEndian.Uint64(v))
	}
	return 0
}

func (w *fixedReader) str() []byte {
	if v := w.take(wireStr8, 1); v != nil {
		return w.more(int(v[0]))
	}
	return nil
}

func (w *fixedReader) bin16() (v [16]byte) {
	if n := w.take(wireBin8, 1); n != nil && n[0] == 16 {
		copy(v[:], w.more(16))
		return v
	}
	w.bad = true
	return v
}

func (w *fixedReader) bin() []byte {
	if v := w.take(wireBin32, 4); v != nil {
		return w.more(int(binary.BigEndian.Uint32(v)))
	}
	return nil
}

// done reports whether all was read well and what is left is exactly the
// elements that a newer version added.
func (w *fixedReader) done() bool {
	for ; w.n > 0 && !w.bad; w.n-- {
		w.b, w.bad = skip(w.b)
	}
	return !w.bad && w.n == 0 && len(w.b) == 0
}

// UnsafeString makes a string of b without copying it. b must not change
// afterwards.
func UnsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// UnsafeBytes is the reverse of text. The bytes must not be changed.
func UnsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
