package msgpack

import "math"

// Fields reads an array to which later versions append: one that ends early
// reads as zero values from there on, and what follows the known elements is
// kept as it is.
type Fields struct {
	r    Reader
	left int // elements not read yet
}

// ReadFields begins to read the array in s.
func ReadFields(s string) Fields {
	r := NewReader(s)
	n := r.Array()
	return Fields{r: r, left: n}
}

// AppendFields appends the head of an array of n known elements, which must
// follow, and then extra as Close returned it.
func AppendFields(b []byte, n int, extra string) []byte {
	if extra != "" {
		n += Count(extra)
	}
	return AppendArray(b, n)
}

// next reports whether there is another element, and counts it.
func (f *Fields) next() bool {
	if f.left == 0 {
		return false
	}
	f.left--
	return true
}

// present is next for an element that may be nil.
func (f *Fields) present() bool { return f.next() && !f.r.Nil() }

// Close returns the elements that were not read. It fails if anything before
// failed, if they are malformed, or if something follows the array.
func (f *Fields) Close() (extra string, err error) {
	from := f.r.i
	for f.next() && !f.r.bad {
		f.r.Skip()
	}
	if f.r.Len() > 0 {
		f.r.fail()
	}
	if err := f.r.Err(); err != nil {
		return "", err
	}
	return f.r.s[from:], nil
}

// Require fails if a value that was read cannot be.
func (f *Fields) Require(ok bool) {
	if !ok {
		f.r.fail()
	}
}

// Uint reads an integer that is not negative.
func (f *Fields) Uint() uint64 {
	if !f.next() {
		return 0
	}
	return f.r.Uint()
}

// Byte reads an integer below 256.
func (f *Fields) Byte() uint8 {
	n := f.Uint()
	if n > math.MaxUint8 {
		f.r.fail()
		return 0
	}
	return uint8(n)
}

// Int reads an integer.
func (f *Fields) Int() int64 {
	if !f.next() {
		return 0
	}
	return f.r.Int()
}

// Ints is Int for as many elements as into has. It keeps its place in
// variables of its own, which takes half as long.
func (f *Fields) Ints(into []int64) {
	n := f.run(len(into))
	clear(into[n:])
	s := f.r.s
	i := f.r.i
	for k := range into[:n] {
		switch {
		case i < len(s) && s[i] <= posFixHi:
			into[k] = int64(s[i])
			i++
		case len(s)-i >= 9 && s[i] == uint64c && s[i+1] <= math.MaxInt8:
			into[k] = int64(be64(s[i+1 : i+9]))
			i += 9
		default:
			f.r.i = i
			into[k] = f.r.Int()
			i = f.r.i
		}
	}
	f.r.i = i
}

// Uints is Uint for as many elements as into has.
func (f *Fields) Uints(into []uint64) {
	n := f.run(len(into))
	clear(into[n:])
	s := f.r.s
	i := f.r.i
	for k := range into[:n] {
		if i < len(s) && s[i] <= posFixHi {
			into[k] = uint64(s[i])
			i++
			continue
		}
		f.r.i = i
		into[k] = f.r.Uint()
		i = f.r.i
	}
	f.r.i = i
}

// run counts up to n elements as read, and returns how many.
func (f *Fields) run(n int) int {
	n = min(n, f.left)
	f.left -= n
	return n
}

// OptInt reads an integer that may be nil, which is not ok.
func (f *Fields) OptInt() (n int64, ok bool) {
	if !f.present() {
		return 0, false
	}
	return f.r.Int(), true
}

// OptFloat reads a float that may be nil, which is not ok. NaN, which equals
// nothing and which JSON cannot say, is damage.
func (f *Fields) OptFloat() (x float64, ok bool) {
	if !f.present() {
		return 0, false
	}
	x = f.r.Float()
	f.Require(!math.IsNaN(x))
	return x, true
}

// Bool reads a boolean.
func (f *Fields) Bool() bool { return f.next() && f.r.Bool() }

// Text reads a string.
func (f *Fields) Text() string {
	if !f.next() {
		return ""
	}
	return f.r.Text()
}

// Bin reads bytes that may be nil, which is not ok.
func (f *Fields) Bin() (data string, ok bool) {
	if !f.present() {
		return "", false
	}
	return f.r.Bin(), true
}

// Texts reads an array of strings; none is nil. It is in the memory of into if
// that has room for it.
func (f *Fields) Texts(into []string) []string {
	if !f.next() {
		return nil
	}
	n := f.r.Array()
	if n == 0 {
		return nil
	}
	if n > cap(into) {
		into = make([]string, n)
	}
	out := into[:n:n]
	for i := range out {
		out[i] = f.r.Text()
	}
	return out
}
