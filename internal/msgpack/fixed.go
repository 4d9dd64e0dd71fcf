package msgpack

import "encoding/binary"

// Codes of the fixed-width forms, for code that looks at values in place.
const (
	Array16Code = array16
	Map16Code   = map16
	Uint8Code   = uint8c
	Uint32Code  = uint8c + 2
	Uint64Code  = uint64c
	Int64Code   = int64c
	Bin8Code    = bin8
	Bin32Code   = bin8 + 2
	Str8Code    = str8
)

// AppendArray16 appends the head of an array of n elements, in 3 bytes.
func AppendArray16(b []byte, n int) []byte {
	return append(b, Array16Code, byte(n>>8), byte(n))
}

// AppendMap16 appends the head of a map of n pairs, in 3 bytes.
func AppendMap16(b []byte, n int) []byte {
	return append(b, Map16Code, byte(n>>8), byte(n))
}

// AppendUint8 appends an integer in 2 bytes.
func AppendUint8(b []byte, n uint8) []byte { return append(b, Uint8Code, n) }

// AppendUint32 appends an integer in 5 bytes.
func AppendUint32(b []byte, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, Uint32Code), n)
}

// AppendUint64 appends an integer in 9 bytes.
func AppendUint64(b []byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, Uint64Code), n)
}

// AppendInt64 appends an integer in 9 bytes.
func AppendInt64(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, Int64Code), uint64(n))
}

// AppendStr8 appends a string of at most 255 bytes behind a head of 2.
func AppendStr8(b []byte, s string) []byte {
	return append(append(b, Str8Code, byte(len(s))), s...)
}

// AppendBin16 appends 16 bytes behind a head of 2.
func AppendBin16(b []byte, data [16]byte) []byte {
	return append(append(b, Bin8Code, 16), data[:]...)
}

// AppendBin32 appends bytes behind a head of 5.
func AppendBin32(b, data []byte) []byte {
	return append(binary.BigEndian.AppendUint32(append(b, Bin32Code), uint32(len(data))), data...)
}

// FixedReader reads elements of the fixed-width forms, and no others. After an
// element of another form it has failed, and all answers are zero.
type FixedReader struct {
	b    []byte
	left int // elements not read yet
	bad  bool
}

// NewFixedReader returns a reader of b, which holds n elements.
func NewFixedReader(b []byte, n int) FixedReader {
	return FixedReader{b: b, left: n, bad: n < 0}
}

// Failed reports whether anything has failed.
func (r *FixedReader) Failed() bool { return r.bad }

// Left returns how many elements are not read yet.
func (r *FixedReader) Left() int { return r.left }

// Len returns how many bytes are not read yet.
func (r *FixedReader) Len() int { return len(r.b) }

// element returns the size bytes behind the first byte of the next element,
// which must be code.
func (r *FixedReader) element(code byte, size int) []byte {
	if r.bad || len(r.b) < 1+size || r.b[0] != code {
		r.bad = true
		return nil
	}
	v := r.b[1 : 1+size]
	r.b = r.b[1+size:]
	r.left--
	return v
}

// content returns the next size bytes, which belong to the element just read.
func (r *FixedReader) content(size int) []byte {
	if r.bad || size < 0 || len(r.b) < size {
		r.bad = true
		return nil
	}
	v := r.b[:size]
	r.b = r.b[size:]
	return v
}

// Uint8 reads what AppendUint8 writes.
func (r *FixedReader) Uint8() uint8 {
	if v := r.element(Uint8Code, 1); v != nil {
		return v[0]
	}
	return 0
}

// Uint32 reads what AppendUint32 writes.
func (r *FixedReader) Uint32() uint32 {
	if v := r.element(Uint32Code, 4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

// Uint64 reads what AppendUint64 writes.
func (r *FixedReader) Uint64() uint64 {
	if v := r.element(Uint64Code, 8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// Int64 reads what AppendInt64 writes.
func (r *FixedReader) Int64() int64 {
	if v := r.element(Int64Code, 8); v != nil {
		return int64(binary.BigEndian.Uint64(v))
	}
	return 0
}

// Str8 reads what AppendStr8 writes.
func (r *FixedReader) Str8() []byte {
	if v := r.element(Str8Code, 1); v != nil {
		return r.content(int(v[0]))
	}
	return nil
}

// Bin16 reads what AppendBin16 writes.
func (r *FixedReader) Bin16() (data [16]byte) {
	if n := r.element(Bin8Code, 1); n != nil && n[0] == 16 {
		copy(data[:], r.content(16))
		return data
	}
	r.bad = true
	return data
}

// Bin32 reads what AppendBin32 writes.
func (r *FixedReader) Bin32() []byte {
	if v := r.element(Bin32Code, 4); v != nil {
		return r.content(int(binary.BigEndian.Uint32(v)))
	}
	return nil
}

// Map16 reads the head that AppendMap16 writes, and returns the number of
// pairs. Their elements count as elements of the reader.
func (r *FixedReader) Map16() int {
	v := r.element(Map16Code, 2)
	if v == nil {
		return 0
	}
	n := int(binary.BigEndian.Uint16(v))
	r.left += 2 * n
	return n
}

// Done reports whether all was read well, and what is left is exactly the
// elements that a newer version added, of any form.
func (r *FixedReader) Done() bool {
	for ; r.left > 0 && !r.bad; r.left-- {
		rest, ok := Skip(r.b)
		r.b = rest
		r.bad = !ok
	}
	return !r.bad && r.left == 0 && len(r.b) == 0
}
