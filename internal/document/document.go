// Package document brings maps of values into one normal form: msgpack in
// which keys are sorted, integers and lengths are as short as they can be, all
// floats have 64 bits and all times are timestamp extensions. Equal values so
// have equal bytes, and any msgpack tool reads them.
package document

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// Limits bound a document.
type Limits struct {
	Bytes int // encoded
	Depth int // maps and lists inside one another, the document itself included
}

// Error says which value is not allowed, and why. It holds keys but no values.
type Error struct {
	Path   string // such as ".prefs.colors[3]"; "" = the whole document
	Reason string
}

func (e *Error) Error() string { return e.Path + " " + e.Reason }

func refuse(reason string) error { return &Error{Reason: reason} }

// Reasons that more than one place gives.
const (
	notUTF8   = "is not valid UTF-8"
	notFinite = "is not a finite number, which JSON could not hold"
)

// within puts a step in front of the path of a refusal.
func within(step string, err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return &Error{Path: step + e.Path, Reason: e.Reason}
	}
	return err
}

// keyStep is the step to the value at a key.
func keyStep(key string) string {
	const longest = 64
	if len(key) > longest {
		key = key[:longest] + "…"
	}
	for _, r := range key {
		if r == utf8.RuneError || r == '.' || r == '[' || r == '"' || !strconv.IsPrint(r) {
			return "[" + strconv.Quote(key) + "]"
		}
	}
	return "." + key
}

func indexStep(i int) string { return "[" + strconv.Itoa(i) + "]" }

func (l Limits) tooLarge() error {
	return refuse("takes more than " + strconv.Itoa(l.Bytes) + " bytes")
}

func (l Limits) tooDeep() error {
	return refuse("is more than " + strconv.Itoa(l.Depth) + " levels deep, or holds itself")
}
