// Package jsonin reads JSON from untrusted clients. Check rejects text that
// encoding/json accepts but changes, or that can be read in two ways: duplicate
// keys, invalid UTF-8, half a surrogate pair, anything after the value. Checked
// text is then split level by level, without copying.
package jsonin

import (
	"strconv"
	"unicode/utf8"
)

// Limits that Check enforces.
const (
	MaxDepth   = 64      // nested objects and arrays
	MaxMembers = 1 << 16 // of one object
)

// Error is a problem at one place of the text. It contains keys but no values.
type Error struct {
	Path   string // such as "messages[3].role", "" = the whole text
	Offset int    // in bytes
	Reason string // a clause, such as "is not valid JSON"
}

// Error returns the place, the byte offset and the reason.
func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason + " at byte " + strconv.Itoa(e.Offset)
	}
	return e.Path + " " + e.Reason + " at byte " + strconv.Itoa(e.Offset)
}

// Check reports whether data is one unambiguous JSON value. Its errors are
// *Error.
func Check(data []byte) error {
	c := checker{data: data}
	c.space()
	if err := c.value(); err != nil {
		return err
	}
	c.space()
	if c.i < len(data) {
		return c.fail("is followed by more data")
	}
	return nil
}

type checker struct {
	data  []byte
	i     int
	depth int
}

func (c *checker) fail(reason string) *Error { return &Error{Offset: c.i, Reason: reason} }

// within adds a step to the front of an error's path.
func within(step string, e *Error) *Error {
	switch {
	case e.Path == "":
		e.Path = step
	case e.Path[0] == '[':
		e.Path = step + e.Path
	default:
		e.Path = step + "." + e.Path
	}
	return e
}

func (c *checker) space() { c.i = skipSpace(c.data, c.i) }

// at returns the next byte, or 0 at the end.
func (c *checker) at() byte {
	if c.i < len(c.data) {
		return c.data[c.i]
	}
	return 0
}

// value checks one value. It returns error, not *Error, so that a nil result is
// a nil error.
func (c *checker) value() error {
	if e := c.check(); e != nil {
		return e
	}
	return nil
}

func (c *checker) check() *Error {
	switch b := c.at(); {
	case b == '{' || b == '[':
		return c.nested(b)
	case b == '"':
		return c.text()
	case b == '-' || '0' <= b && b <= '9':
		return c.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if end := c.i + len(word); end <= len(c.data) && string(c.data[c.i:end]) == word {
			c.i = end
			return nil
		}
	}
	return c.fail("is not valid JSON")
}

func (c *checker) nested(open byte) *Error {
	if c.depth++; c.depth > MaxDepth {
		return c.fail("is more than " + strconv.Itoa(MaxDepth) + " levels deep")
	}
	c.i++
	c.space()
	var err *Error
	if open == '{' {
		err = c.object()
	} else {
		err = c.array()
	}
	c.depth--
	return err
}

func (c *checker) array() *Error {
	for n := 0; ; n++ {
		if n == 0 && c.at() == ']' {
			c.i++
			return nil
		}
		if err := c.check(); err != nil {
			return within("["+strconv.Itoa(n)+"]", err)
		}
		if done, err := c.more(']'); done || err != nil {
			return err
		}
	}
}

func (c *checker) object() *Error {
	var seen map[string]bool
	for n := 0; ; n++ {
		if n == 0 && c.at() == '}' {
			c.i++
			return nil
		}
		key, err := c.key()
		if err != nil {
			return err
		}
		if seen == nil {
			seen = make(map[string]bool, 8)
		}
		switch {
		case seen[key]:
			return within(step(key), c.fail("is given twice"))
		case n == MaxMembers:
			return c.fail("has more than " + strconv.Itoa(MaxMembers) + " members")
		}
		seen[key] = true
		if err := c.check(); err != nil {
			return within(step(key), err)
		}
		if done, err := c.more('}'); done || err != nil {
			return err
		}
	}
}

// key reads the name of a member and the colon after it.
func (c *checker) key() (string, *Error) {
	from := c.i
	if c.at() != '"' {
		return "", c.fail("is not valid JSON")
	}
	if err := c.text(); err != nil {
		return "", err
	}
	key := Text(c.data[from:c.i])
	if c.space(); c.at() != ':' {
		return "", c.fail("is not valid JSON")
	}
	c.i++
	c.space()
	return key, nil
}

// more reads the closing bracket or the comma after an element.
func (c *checker) more(closing byte) (done bool, err *Error) {
	c.space()
	switch c.at() {
	case closing:
		c.i++
		return true, nil
	case ',':
		c.i++
		c.space()
		return false, nil
	}
	return false, c.fail("is not valid JSON")
}

// step returns a key in the form of a path.
func step(key string) string {
	const longest = 64
	for n, r := range key {
		if n >= longest || r == '.' || r == '[' || !strconv.IsPrint(r) {
			return strconv.Quote(key[:min(n, longest)]) + "…"
		}
	}
	if key == "" {
		return `""`
	}
	return key
}

func (c *checker) text() *Error {
	for c.i++; ; {
		switch b := c.at(); {
		case b == '"':
			c.i++
			return nil
		case b == '\\':
			if err := c.escape(); err != nil {
				return err
			}
		case b < 0x20: // also the end
			return c.fail("is not valid JSON")
		case b < utf8.RuneSelf:
			c.i++
		default:
			r, n := utf8.DecodeRune(c.data[c.i:])
			if r == utf8.RuneError && n == 1 {
				return c.fail("is not valid UTF-8")
			}
			c.i += n
		}
	}
}

func (c *checker) escape() *Error {
	c.i++
	switch c.at() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		c.i++
		return nil
	case 'u':
		n, ok := unit(c.data[c.i-1:])
		switch {
		case !ok:
			return c.fail("is not valid JSON")
		case n < 0xd800 || n > 0xdfff:
			c.i += 5
			return nil
		}
		low, ok := unit(c.data[c.i+5:])
		if n > 0xdbff || !ok || low < 0xdc00 || low > 0xdfff {
			return c.fail("holds half a surrogate pair")
		}
		c.i += 11
		return nil
	}
	return c.fail("is not valid JSON")
}

// unit reads an escape such as \u00e9.
func unit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}

func (c *checker) number() *Error {
	if c.at() == '-' {
		c.i++
	}
	switch {
	case c.at() == '0':
		c.i++
	case !c.digits():
		return c.fail("is not valid JSON")
	}
	if c.at() == '.' {
		c.i++
		if !c.digits() {
			return c.fail("is not valid JSON")
		}
	}
	if b := c.at(); b == 'e' || b == 'E' {
		c.i++
		if b := c.at(); b == '+' || b == '-' {
			c.i++
		}
		if !c.digits() {
			return c.fail("is not valid JSON")
		}
	}
	return nil
}

func (c *checker) digits() bool {
	from := c.i
	for b := c.at(); '0' <= b && b <= '9'; b = c.at() {
		c.i++
	}
	return c.i > from
}
