// Package jsonout appends JSON to a buffer without reflection.
package jsonout

import (
	"strconv"
	"time"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// Text appends a string. Invalid UTF-8 becomes U+FFFD.
func Text(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r := rune(c)
		n := 1
		if c >= utf8.RuneSelf {
			if r, n = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		b = escape(append(b, s[from:i]...), r)
		i += n
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

func escape(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	case utf8.RuneError:
		return append(b, `\ufffd`...)
	}
	return append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&0xf])
}

// OptText appends a string, or null if it is empty.
func OptText(b []byte, s string) []byte {
	if s == "" {
		return Null(b)
	}
	return Text(b, s)
}

// Null appends null.
func Null(b []byte) []byte { return append(b, "null"...) }

// Uint appends a number.
func Uint(b []byte, n uint64) []byte { return strconv.AppendUint(b, n, 10) }

// Float appends a number, which must be finite.
func Float(b []byte, f float64) []byte { return strconv.AppendFloat(b, f, 'g', -1, 64) }

// Time appends an instant as RFC 3339 in UTC with milliseconds, or null if it
// is zero. Its year must have four digits.
func Time(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return Null(b)
	}
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, sec := t.Clock()
	b = append(b, '"')
	b = append(two(two(b, year/100), year%100), '-')
	b = append(two(b, int(month)), '-')
	b = append(two(b, day), 'T')
	b = append(two(b, hour), ':')
	b = append(two(b, minute), ':')
	b = append(two(b, sec), '.')
	ms := t.Nanosecond() / 1e6
	b = append(b, byte('0'+ms/100))
	return append(two(b, ms%100), 'Z', '"')
}

func two(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
