package msgpack

// Kind is what a value is, as its first byte tells.
type Kind uint8

// The kinds of values.
const (
	Invalid Kind = iota
	Nil
	Bool
	Uint // may be read as Int if it fits
	Int
	Float
	Text
	Bin
	Array
	Map
	Ext
)

// A form describes the values that begin with one byte.
type form struct {
	kind   Kind
	fixed  int8 // bytes of the value without what its length counts; 0 = no value
	width  int8 // bytes of the length behind the first byte; 0 = no length
	nested int8 // values inside: in all, or for each unit of the length
}

// forms has the form by the first byte.
var forms = func() (t [256]form) {
	fill := func(from, to byte, f form) {
		for c := int(from); c <= int(to); c++ {
			t[c] = f
		}
	}
	fill(0, posFixHi, form{Uint, 1, 0, 0})
	fill(negFixLo, 0xff, form{Int, 1, 0, 0})
	for n := range int8(16) {
		t[mapLo+byte(n)] = form{Map, 1, 0, 2 * n}
		t[arrayLo+byte(n)] = form{Array, 1, 0, n}
	}
	for n := range int8(32) {
		t[strLo+byte(n)] = form{Text, 1 + n, 0, 0}
	}
	t[null] = form{Nil, 1, 0, 0}
	fill(no, yes, form{Bool, 1, 0, 0})
	t[float32c] = form{Float, 5, 0, 0}
	t[float64c] = form{Float, 9, 0, 0}
	for i := range byte(4) {
		t[uint8c+i] = form{Uint, 1 + 1<<i, 0, 0}
		t[int8c+i] = form{Int, 1 + 1<<i, 0, 0}
	}
	for i := range byte(5) {
		t[fixExt1+i] = form{Ext, 2 + 1<<i, 0, 0}
	}
	for i := range byte(3) {
		width := int8(1) << i
		t[bin8+i] = form{Bin, 1 + width, width, 0}
		t[str8+i] = form{Text, 1 + width, width, 0}
		t[ext8+i] = form{Ext, 2 + width, width, 0}
	}
	for i := range byte(2) {
		width := int8(2) << i
		t[array16+i] = form{Array, 1 + width, width, 1}
		t[map16+i] = form{Map, 1 + width, width, 2}
	}
	return t
}()

// Skip returns what follows the first value of b with all that it holds, of any
// depth. It is not ok if the value is malformed or cut short.
func Skip[T ~string | ~[]byte](b T) (rest T, ok bool) {
	for left := 1; left > 0; left-- {
		size, inner := valueExtent(b)
		if size == 0 {
			return rest, false
		}
		b = b[size:]
		left += inner
		// Each value takes a byte, so more of them than bytes is a lie.
		if left-1 > len(b) {
			return rest, false
		}
	}
	return b, true
}

// valueExtent returns the bytes of the value that b begins with, of an array or
// map only the head, and how many values are inside. The size is 0 if the value
// is malformed or cut short.
func valueExtent[T ~string | ~[]byte](b T) (size, inner int) {
	if len(b) == 0 {
		return 0, 0
	}
	f := &forms[b[0]]
	size = int(f.fixed)
	inner = int(f.nested)
	if size > len(b) {
		return 0, 0
	}
	if f.width == 0 {
		return size, inner
	}
	n := uint64(0)
	for i := range int(f.width) {
		n = n<<8 | uint64(b[1+i])
	}
	if n > uint64(len(b)) { // each unit takes a byte
		return 0, 0
	}
	if f.nested > 0 {
		return size, int(n) * inner
	}
	if size += int(n); size > len(b) {
		return 0, 0
	}
	return size, 0
}

// Count returns how many whole values s is made of, which must be well formed.
func Count(s string) (n int) {
	for ok := true; ok && s != ""; n++ {
		s, ok = Skip(s)
	}
	return n
}
