package msgpack

import (
	"crypto/sha256"
	"hash"
	"sync"
	"unsafe"
)

// A summer hashes an array piece by piece. It gathers short values in buf, and
// hashes long values in place.
type summer struct {
	hash hash.Hash
	sum  [sha256.Size]byte
	buf  [1024]byte
}

// shortValue is the size of the longest value that is copied before it is
// hashed.
const shortValue = 64

var summers = sync.Pool{New: func() any { return &summer{hash: sha256.New()} }}

// SumArray returns the SHA-256 of the array of the fields, without a version.
// It allocates nothing and copies no long value.
func SumArray(fields []any) [sha256.Size]byte {
	h := summers.Get().(*summer)
	h.hash.Reset()
	b := AppendArray(h.buf[:0], len(fields))
	done := 0 // fields that are hashed or in b
	for i, field := range fields {
		code, data := longValue(field)
		if len(data) <= shortValue {
			continue
		}
		b = appendSized(AppendFields(b, fields[done:i]), code, uint64(len(data)))
		_, _ = h.hash.Write(b)
		_, _ = h.hash.Write(unsafe.Slice(unsafe.StringData(data), len(data)))
		b = h.buf[:0]
		done = i + 1
	}
	_, _ = h.hash.Write(AppendFields(b, fields[done:]))
	sum := [sha256.Size]byte(h.hash.Sum(h.sum[:0]))
	summers.Put(h)
	return sum
}

// longValue returns the content of a string or binary field, and the code of
// its type with a length of one byte. For other fields it returns nothing.
func longValue(field any) (code byte, data string) {
	switch p := field.(type) {
	case *string:
		return str8, *p
	case *OptBin:
		return bin8, string(*p)
	case *[]byte:
		return bin8, unsafe.String(unsafe.SliceData(*p), len(*p))
	}
	return 0, ""
}
