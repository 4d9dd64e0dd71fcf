package format

import (
	"encoding/binary"
	"hash/crc32"
	"unsafe"

	"github.com/seshatdb/seshat/internal/msgpack"
)

// Every value in the file is one msgpack array whose first element is a CRC-32C
// over its key and all bytes after that element. The forms are of fixed width
// where msgpack offers a choice, so that fields sit at fixed places.
const envelopeSize = 3 + 5 // after the array's header and the checksum

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, b []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, b)
}

// appendEnvelope begins a document of n elements, the checksum included.
func appendEnvelope(b []byte, n int) []byte {
	return msgpack.AppendUint32(msgpack.AppendArray16(b, n), 0)
}

// seal sets the checksum of the document that doc is.
func seal(key, doc []byte) {
	binary.BigEndian.PutUint32(doc[4:], checksum(key, doc[envelopeSize:]))
}

// open starts to read v, whose elements after the checksum are at least n. It
// does not verify the checksum.
func open(v []byte, n int) msgpack.FixedReader {
	if len(v) < envelopeSize || v[0] != msgpack.Array16Code || v[3] != msgpack.Uint32Code {
		return failed
	}
	have := int(binary.BigEndian.Uint16(v[1:])) - 1
	if have < n {
		return failed
	}
	return msgpack.NewFixedReader(v[envelopeSize:], have)
}

// openSealed is open for a document whose checksum must hold.
func openSealed(key, v []byte, n int) msgpack.FixedReader {
	w := open(v, n)
	if w.Failed() || binary.BigEndian.Uint32(v[4:]) != checksum(key, v[envelopeSize:]) {
		return failed
	}
	return w
}

// failed is the reader of a damaged document.
var failed = msgpack.NewFixedReader(nil, -1)

// UnsafeString makes a string of b without copying it. b must not change
// afterwards.
func UnsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// UnsafeBytes is the reverse of text. The bytes must not be changed.
func UnsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
