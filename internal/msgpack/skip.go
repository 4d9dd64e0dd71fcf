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

// kinds is the kind by the first byte.
var kinds = func() (t [256]Kind) {
	for _, k := range []struct {
		from, to byte
		kind     Kind
	}{
		{0, posFixHi, Uint},
		{mapLo, arrayLo - 1, Map},
		{arrayLo, strLo - 1, Array},
		{strLo, strHi, Text},
		{null, null, Nil},
		{no, yes, Bool},
		{bin8, ext8 - 1, Bin},
		{ext8, ext32, Ext},
		{float32c, float64c, Float},
		{uint8c, uint64c, Uint},
		{int8c, int64c, Int},
		{fixExt1, fixExt16, Ext},
		{str8, array16 - 1, Text},
		{array16, array32, Array},
		{map16, map32, Map},
		{negFixLo, 0xff, Int},
	} {
		for c := int(k.from); c <= int(k.to); c++ {
			t[c] = k.kind
		}
	}
	return t
}()

// Skip consumes one value with all that it holds, of any depth, and returns
// its bytes.
func (r *Reader) Skip() string {
	from := r.i
	for pending := 1; pending > 0 && !r.bad; pending-- {
		pending += r.skipOne()
		// Each value takes a byte, so more of them than bytes is a lie.
		if pending-1 > r.Len() {
			r.fail()
		}
	}
	if r.bad {
		return ""
	}
	return r.s[from:r.i]
}

// skipOne consumes one value, of an array or map only the head, and returns
// the number of values that it holds.
func (r *Reader) skipOne() int {
	switch r.Peek() {
	case Nil, Bool:
		r.code()
	case Uint, Int:
		r.integer()
	case Float:
		r.Float()
	case Text:
		r.Text()
	case Bin:
		r.Bin()
	case Ext:
		n, _ := r.ext()
		r.take(n)
	case Array:
		return r.Array()
	case Map:
		return 2 * r.Map()
	default:
		r.fail()
	}
	return 0
}

// Count returns how many whole values s is made of, which must be well formed.
func Count(s string) (n int) {
	for r := NewReader(s); r.Len() > 0; n++ {
		r.Skip()
	}
	return n
}
