package msgpack

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrMalformed is the error of a Reader that met what it cannot read.
var ErrMalformed = errors.New("malformed msgpack")

// Reader reads values from a string one after the other. Strings that it
// returns share the memory of that one. It never reads beyond the string, and
// no length in it makes it allocate. After a failure all methods return zero
// values, so it is enough to look at Err at the end.
type Reader struct {
	s   string
	i   int
	bad bool
}

// NewReader returns a reader of s.
func NewReader(s string) Reader { return Reader{s: s} }

// Err is nil or wraps ErrMalformed.
func (r *Reader) Err() error {
	if !r.bad {
		return nil
	}
	return fmt.Errorf("%w of %d bytes", ErrMalformed, len(r.s))
}

// Failed reports whether Err is not nil.
func (r *Reader) Failed() bool { return r.bad }

// Len returns the number of bytes that are left.
func (r *Reader) Len() int { return len(r.s) - r.i }

// require fails if a value that was read is not allowed.
func (r *Reader) require(ok bool) {
	if !ok {
		r.fail()
	}
}

// fail makes all that follows fail too.
func (r *Reader) fail() {
	r.bad, r.i = true, len(r.s)
}

// Skip consumes one value with all that it holds, of any depth, and returns
// its bytes.
func (r *Reader) Skip() string {
	s := r.s[r.i:]
	rest, ok := Skip(s)
	if !ok {
		r.fail()
		return ""
	}
	r.i = len(r.s) - len(rest)
	return s[:len(s)-len(rest)]
}

// code consumes the first byte of a value; the zero value of a failed reader
// is a code that no value begins with.
func (r *Reader) code() byte {
	if r.i >= len(r.s) {
		r.fail()
		return 0xc1
	}
	c := r.s[r.i]
	r.i++
	return c
}

// take consumes n bytes.
func (r *Reader) take(n uint64) string {
	if n > uint64(r.Len()) {
		r.fail()
		return ""
	}
	s := r.s[r.i : r.i+int(n)]
	r.i += int(n)
	return s
}

// be consumes a big-endian number of 1, 2, 4 or 8 bytes.
func (r *Reader) be(n uint64) uint64 {
	switch s := r.take(n); len(s) {
	case 8:
		return be64(s)
	case 4:
		return uint64(s[3]) | uint64(s[2])<<8 | uint64(s[1])<<16 | uint64(s[0])<<24
	case 2:
		return uint64(s[1]) | uint64(s[0])<<8
	case 1:
		return uint64(s[0])
	}
	return 0
}

// be64 is the number that s begins with, in one load.
func be64(s string) uint64 {
	_ = s[7]
	return uint64(s[7]) | uint64(s[6])<<8 | uint64(s[5])<<16 | uint64(s[4])<<24 |
		uint64(s[3])<<32 | uint64(s[2])<<40 | uint64(s[1])<<48 | uint64(s[0])<<56
}

// Peek returns the kind of the next value; Invalid at the end.
func (r *Reader) Peek() Kind {
	if r.i >= len(r.s) {
		return Invalid
	}
	return forms[r.s[r.i]].kind
}

// Nil consumes nil if that is next, and reports whether it was.
func (r *Reader) Nil() bool {
	if r.i >= len(r.s) || r.s[r.i] != null {
		return false
	}
	r.i++
	return true
}

// Bool reads a boolean.
func (r *Reader) Bool() bool {
	c := r.code()
	if c != yes && c != no {
		r.fail()
	}
	return c == yes
}

// Uint reads an integer that is not negative.
func (r *Reader) Uint() uint64 {
	if r.i < len(r.s) && r.s[r.i] <= posFixHi {
		r.i++
		return uint64(r.s[r.i-1])
	}
	n, negative := r.integer()
	if negative {
		r.fail()
		return 0
	}
	return n
}

// Int reads an integer.
func (r *Reader) Int() int64 {
	if r.i < len(r.s) && r.s[r.i] <= posFixHi {
		r.i++
		return int64(r.s[r.i-1])
	}
	n, negative := r.integer()
	if !negative && n > math.MaxInt64 {
		r.fail()
		return 0
	}
	return int64(n)
}

// integer reads an integer; a negative one in two's complement.
func (r *Reader) integer() (n uint64, negative bool) {
	switch c := r.code(); {
	case c <= posFixHi:
		return uint64(c), false
	case c == uint64c && r.Len() >= 8:
		r.i += 8
		return be64(r.s[r.i-8:]), false
	case c >= negFixLo:
		return uint64(int64(int8(c))), true
	case c >= uint8c && c <= uint64c:
		return r.be(1 << (c - uint8c)), false
	case c >= int8c && c <= int64c:
		width := uint64(1) << (c - int8c)
		shift := 64 - 8*width
		v := int64(r.be(width)<<shift) >> shift
		return uint64(v), v < 0
	}
	r.fail()
	return 0, false
}

// Float reads a float of 32 or 64 bits.
func (r *Reader) Float() float64 {
	switch r.code() {
	case float64c:
		return math.Float64frombits(r.be(8))
	case float32c:
		return float64(math.Float32frombits(uint32(r.be(4))))
	}
	r.fail()
	return 0
}

// Text reads a string.
func (r *Reader) Text() string {
	switch c := r.code(); {
	case c == strLo:
		return ""
	case c >= strLo && c <= strHi:
		return r.take(uint64(c - strLo))
	case c == str8 && r.i < len(r.s):
		r.i++
		return r.take(uint64(r.s[r.i-1]))
	case c >= str8 && c < array16:
		return r.take(r.be(1 << (c - str8)))
	}
	r.fail()
	return ""
}

// Bin reads bytes.
func (r *Reader) Bin() string {
	if c := r.code(); c >= bin8 && c < ext8 {
		return r.take(r.be(1 << (c - bin8)))
	}
	r.fail()
	return ""
}

// Array reads the head of an array and returns the number of its elements,
// which is never more than bytes are left.
func (r *Reader) Array() int { return r.head(arrayLo, array16, 1) }

// Map reads the head of a map and returns the number of its pairs, which is
// never more than half as many as bytes are left.
func (r *Reader) Map() int { return r.head(mapLo, map16, 2) }

// head reads a count of elements that take at least size bytes each.
func (r *Reader) head(lo, code byte, size uint64) int {
	var n uint64
	switch c := r.code(); {
	case c >= lo && c < lo+16:
		n = uint64(c - lo)
	case c == code:
		n = r.be(2)
	case c == code+1:
		n = r.be(4)
	default:
		r.fail()
	}
	if n*size > uint64(r.Len()) {
		r.fail()
		return 0
	}
	return int(n)
}

// Time reads a timestamp extension, in UTC.
func (r *Reader) Time() time.Time {
	n, kind := r.ext()
	var secs, nanos uint64
	switch {
	case r.bad || kind != timeExt:
		r.fail()
	case n == 4:
		secs = r.be(4)
	case n == 8:
		nanos = r.be(8)
		secs = nanos & (1<<34 - 1)
		nanos = nanos >> 34
	case n == 12:
		nanos = r.be(4)
		secs = r.be(8)
	default:
		r.fail()
	}
	if nanos >= uint64(time.Second) {
		r.fail()
	}
	if r.bad {
		return time.Time{}
	}
	return time.Unix(int64(secs), int64(nanos)).UTC()
}

// ext reads the head of an extension: its length and type.
func (r *Reader) ext() (n uint64, kind byte) {
	switch c := r.code(); {
	case c >= ext8 && c <= ext32:
		n = r.be(1 << (c - ext8))
	case c >= fixExt1 && c <= fixExt16:
		n = 1 << (c - fixExt1)
	default:
		r.fail()
	}
	return n, r.code()
}
