package rules

import "encoding/binary"

// Size counts the Keys and Bytes of a scope of state.
type Size struct{ Keys, Bytes uint64 }

// ReadSize decodes the result of Encode. The size of no bytes is zero.
func ReadSize(b []byte) (n Size, ok bool) {
	switch len(b) {
	case 0:
		return n, true
	case 16:
		return Size{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, true
	}
	return n, false
}

// Encode returns n as two big-endian numbers.
func (n Size) Encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, n.Keys), n.Bytes)
}

// Replace counts the replacement of one value by another; nil = no value.
func (n *Size) Replace(old, value []byte) {
	if old != nil {
		n.Keys--
	}
	if value != nil {
		n.Keys++
	}
	n.Bytes += uint64(len(value)) - uint64(len(old))
}
