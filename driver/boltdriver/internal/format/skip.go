package format

import "encoding/binary"

// skip returns what follows the msgpack value that b begins with.
func skip(b []byte) (rest []byte, bad bool) {
	for left := 1; left > 0; left-- {
		if len(b) == 0 {
			return nil, true
		}
		size, inner := valueExtent(b)
		if size < 0 || size > len(b) {
			return nil, true
		}
		b = b[size:]
		left += inner
		if left > len(b)+1 {
			return nil, true
		}
	}
	return b, false
}

// valueExtent returns the bytes of the value at the start of b, without the
// values inside it, and how many values are inside it. The size is -1 for a
// value that is cut short or whose form does not exist.
func valueExtent(b []byte) (size, inner int) {
	c := b[0]
	switch {
	case c <= 0x7f || c >= 0xe0: // fixint
		return 1, 0
	case c <= 0x8f: // fixmap
		return 1, 2 * int(c&0x0f)
	case c <= 0x9f: // fixarray
		return 1, int(c & 0x0f)
	case c <= 0xbf: // fixstr
		return 1 + int(c&0x1f), 0
	}
	f := forms[c-0xc0]
	if f.width == 0 {
		return int(f.fixed), 0
	}
	if len(b) < 1+int(f.width) {
		return -1, 0
	}
	n := lengthOf(b[1 : 1+f.width])
	if f.nested > 0 {
		return 1 + int(f.width), min(n, 1<<30) * int(f.nested)
	}
	return int(f.fixed) + int(f.width) + n, 0
}

func lengthOf(b []byte) int {
	switch len(b) {
	case 1:
		return int(b[0])
	case 2:
		return int(binary.BigEndian.Uint16(b))
	}
	return int(min(binary.BigEndian.Uint32(b), 1<<30))
}

// form describes the values 0xc0 to 0xdf: width bytes of length after the
// first byte, and fixed other bytes; nested values for each unit of length.
type form struct{ fixed, width, nested int8 }

var forms = [32]form{
	{1, 0, 0}, {-1, 0, 0}, {1, 0, 0}, {1, 0, 0}, // nil, never used, false, true
	{1, 1, 0}, {1, 2, 0}, {1, 4, 0}, // bin
	{2, 1, 0}, {2, 2, 0}, {2, 4, 0}, // ext
	{5, 0, 0}, {9, 0, 0}, // float
	{2, 0, 0}, {3, 0, 0}, {5, 0, 0}, {9, 0, 0}, // uint
	{2, 0, 0}, {3, 0, 0}, {5, 0, 0}, {9, 0, 0}, // int
	{3, 0, 0}, {4, 0, 0}, {6, 0, 0}, {10, 0, 0}, {18, 0, 0}, // fixext
	{1, 1, 0}, {1, 2, 0}, {1, 4, 0}, // str
	{1, 2, 1}, {1, 4, 1}, // array
	{1, 2, 2}, {1, 4, 2}, // map
}
