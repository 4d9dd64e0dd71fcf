package jsonin

import "encoding/json"

// Raw is a JSON value that passed Check, without surrounding space. It shares
// memory with the text.
type Raw []byte

// Kind is the kind of a JSON value, as error texts name it.
type Kind string

// The kinds of values.
const (
	Null   Kind = "null"
	Bool   Kind = "a boolean"
	Number Kind = "a number"
	String Kind = "a string"
	Array  Kind = "an array"
	Object Kind = "an object"
)

// Value returns the value in a text that passed Check.
func Value(data []byte) Raw {
	from := skipSpace(data, 0)
	return data[from:skip(data, from)]
}

// Kind returns the kind of the value.
func (r Raw) Kind() Kind {
	switch r[0] {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	}
	return Number
}

// Member is one member of an object.
type Member struct {
	Name  string // without escapes
	Value Raw    // shares the text
}

// Members returns the members of an object, in their order.
func (r Raw) Members() []Member {
	var out []Member
	r.each(func(i int) int {
		end := skip(r, i)
		name := Text(r[i:end])
		from := skipSpace(r, skipSpace(r, end)+1) // past the colon
		end = skip(r, from)
		out = append(out, Member{name, r[from:end]})
		return end
	})
	return out
}

// Items returns the items of an array.
func (r Raw) Items() []Raw {
	var out []Raw
	r.each(func(i int) int {
		end := skip(r, i)
		out = append(out, r[i:end])
		return end
	})
	return out
}

// each calls fn with the place of each element; it returns the element's end.
func (r Raw) each(fn func(int) int) {
	i := skipSpace(r, 1)
	for r[i] != ']' && r[i] != '}' {
		i = skipSpace(r, fn(i))
		if r[i] == ',' {
			i = skipSpace(r, i+1)
		}
	}
}

// Text returns what a string says.
func Text(r []byte) string {
	for _, b := range r {
		if b == '\\' {
			var s string
			_ = json.Unmarshal(r, &s) // r passed Check
			return s
		}
	}
	return string(r[1 : len(r)-1])
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skip returns the end of the value that begins at i.
func skip(b []byte, i int) int {
	for depth := 0; i < len(b); {
		switch b[i] {
		case '"':
			i = skipText(b, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\n', '\r':
			i++
			continue
		default:
			i = skipWord(b, i)
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

func skipText(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipWord skips a number, true, false or null.
func skipWord(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ',', ':', ' ', '\t', '\n', '\r', '}', ']':
			return i
		}
		i++
	}
	return i
}
