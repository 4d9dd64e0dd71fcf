// Package document encodes maps of values in a normal form. It is msgpack with
// sorted keys, the shortest encodings of integers and lengths, 64-bit floats,
// and times as timestamp extensions. So equal values have equal bytes, and any
// msgpack tool can read them.
//
// Only DecodeInto uses vmihailenco/msgpack. Its encoder does not bound depth
// and size and names no path, and its decoder of untyped values returns local
// times, and integers of the smallest type.
package document

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a document.
type Limits struct {
	Bytes int // size of the encoding
	// Depth counts nested maps and lists, including the document itself.
	Depth int
}

// Error says which value is not allowed, and why. It holds no values, and of
// the keys only those that look like a field's name.
type Error struct {
	Path   string // such as ".prefs.colors[3]"; "" = the whole document
	Reason string // a clause without a subject
}

// Error returns the place and the reason.
func (e *Error) Error() string { return e.Path + " " + e.Reason }

// refuse returns the *Error of the whole value; within adds its place.
func refuse(reason string) error { return &Error{Reason: reason} }

// Reasons that several places give.
const (
	notUTF8   = "is not valid UTF-8; UTF-8 is required"
	notFinite = "is not a finite number; JSON has no other"
)

// within adds a step to the front of an error's path.
func within(step string, err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return &Error{Path: step + e.Path, Reason: e.Reason}
	}
	return err
}

// keyStep is the step to the value at a key.
//
// A key that does not look like a field's name may be what a user said, so the
// step hides it.
func keyStep(key string) string {
	const hidden = "[…]"
	const maxKey = 64 // bytes
	if key == "" || len(key) > maxKey || !utf8.ValidString(key) {
		return hidden
	}
	for _, r := range key {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.:/", r) {
			return hidden
		}
	}
	if strings.Contains(key, ".") {
		return `["` + key + `"]`
	}
	return "." + key
}

func indexStep(i int) string { return "[" + strconv.Itoa(i) + "]" }

func (l Limits) tooLarge() error {
	return refuse("makes the document too large; at most " + strconv.Itoa(l.Bytes) + " bytes are allowed")
}

func (l Limits) tooDeep() error {
	return refuse("is too deep or contains itself; at most " + strconv.Itoa(l.Depth) + " levels are allowed")
}
