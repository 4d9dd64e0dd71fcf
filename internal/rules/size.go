package rules

import "encoding/binary"

// Size is what a scope of state holds.
type Size struct{ Keys, Bytes uint64 }

// ReadSize reads what Encode returned; of nothing it is zero.
func ReadSize(b []byte) (n Size, ok bool) {
	switch len(b) {
	case 0:
		return n, true
	case 16:
		return Size{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, true
	}
	return n, false
}

// Encode returns two big-endian numbers.
func (n Size) Encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, n.Keys), n.Bytes)
}

// Replace puts one value in the place of another; nil = none.
func (n *Size) Replace(old, value []byte) {
	if old != nil {
		n.Keys--
	}
	if value != nil {
		n.Keys++
	}
	n.Bytes += uint64(len(value)) - uint64(len(old))
}
