// Package msgpack writes and reads msgpack without reflection. It writes the
// bytes that vmihailenco/msgpack writes for the same values, and reads what
// that library reads, except for the stricter rules that FuzzMsgpack names.
// Readers share the memory of their input and do not trust it.
//
//   - append.go and reader.go: values in their shortest form
//   - fields.go: an array of fields by its layout, one list for both ways
//   - fixed.go: forms of fixed width, whose elements lie at fixed places
//   - skip.go: the one table of all forms, which finds the end of any value
//   - sum.go: the hash of an array without a buffer for it
package msgpack

import (
	"encoding/binary"
	"math"
	"time"
)

// Codes of msgpack. Those that end in Lo begin a range.
const (
	posFixHi = 0x7f
	mapLo    = 0x80
	arrayLo  = 0x90
	strLo    = 0xa0
	strHi    = 0xbf
	null     = 0xc0
	no       = 0xc2
	yes      = 0xc3
	bin8     = 0xc4
	ext8     = 0xc7
	ext32    = 0xc9
	float32c = 0xca
	float64c = 0xcb
	uint8c   = 0xcc
	uint64c  = 0xcf
	int8c    = 0xd0
	int16c   = 0xd1
	int32c   = 0xd2
	int64c   = 0xd3
	fixExt1  = 0xd4
	fixExt4  = 0xd6
	fixExt8  = 0xd7
	fixExt16 = 0xd8
	str8     = 0xd9
	array16  = 0xdc
	array32  = 0xdd
	map16    = 0xde
	map32    = 0xdf
	negFixLo = 0xe0

	timeExt = 0xff // extension type -1
)

// AppendNil appends nil.
func AppendNil(b []byte) []byte { return append(b, null) }

// AppendBool appends a boolean.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, yes)
	}
	return append(b, no)
}

// AppendUint appends an integer in its shortest form.
func AppendUint(b []byte, n uint64) []byte {
	if n <= posFixHi {
		return append(b, byte(n))
	}
	return appendSized(b, uint8c, n)
}

// appendSized appends a code and n, in 1, 2, 4 or 8 bytes. code is the code for
// one byte; the codes for more bytes follow it.
func appendSized(b []byte, code byte, n uint64) []byte {
	switch {
	case n <= math.MaxUint8:
		return append(b, code, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, code+1), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, code+2), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, code+3), n)
}

// AppendInt appends an integer in its shortest form, which does not tell what
// is signed.
func AppendInt(b []byte, n int64) []byte {
	switch {
	case n >= 0:
		return AppendUint(b, uint64(n))
	case n >= -32:
		return append(b, byte(n))
	case n >= math.MinInt8:
		return append(b, int8c, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(b, int16c), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(b, int32c), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, int64c), uint64(n))
}

// AppendFloat appends a float of 64 bits.
func AppendFloat(b []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, float64c), math.Float64bits(f))
}

// AppendText appends a string. It must be shorter than 4 GiB, as all lengths.
func AppendText(b []byte, s string) []byte {
	if len(s) <= strHi-strLo {
		b = append(b, strLo|byte(len(s)))
	} else {
		b = appendSized(b, str8, uint64(len(s)))
	}
	return append(b, s...)
}

// AppendBin appends bytes.
func AppendBin[T ~string | ~[]byte](b []byte, data T) []byte {
	return append(appendSized(b, bin8, uint64(len(data))), data...)
}

// AppendArray appends the head of an array of n elements, which must follow.
func AppendArray(b []byte, n int) []byte { return appendHead(b, arrayLo, array16, n) }

// AppendMap appends the head of a map of n pairs, which must follow.
func AppendMap(b []byte, n int) []byte { return appendHead(b, mapLo, map16, n) }

func appendHead(b []byte, lo, code byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, lo|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, code), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, code+1), uint32(n))
}

// AppendTime appends an instant as a timestamp extension, in its shortest form.
func AppendTime(b []byte, t time.Time) []byte {
	secs := uint64(t.Unix())
	nanos := uint64(t.Nanosecond())
	switch {
	case secs>>34 != 0:
		b = binary.BigEndian.AppendUint32(append(b, ext8, 12, timeExt), uint32(nanos))
		return binary.BigEndian.AppendUint64(b, secs)
	case nanos == 0 && secs <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, fixExt4, timeExt), uint32(secs))
	}
	return binary.BigEndian.AppendUint64(append(b, fixExt8, timeExt), nanos<<34|secs)
}
