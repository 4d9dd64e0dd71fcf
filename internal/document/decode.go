package document

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/seshatdb/seshat/internal/msgpack"
)

// ErrMalformed reports bytes that Encode did not produce.
var ErrMalformed = errors.New("not a document in normal form")

// Decode returns the map of a normal form as new values, nil for "". Other
// bytes give ErrMalformed, or values that Check would reject, but never a panic
// and never more memory than a small multiple of their length.
func Decode(enc string, l Limits) (map[string]any, error) {
	if enc == "" {
		return nil, nil
	}
	// All strings share one copy, because enc may be a small part of a large
	// text.
	d := decoder{Reader: msgpack.NewReader(strings.Clone(enc)), Limits: l}
	m := d.object()
	if !d.ended() {
		return nil, ErrMalformed
	}
	return m, nil
}

// Merge sets the values of enc in m and deletes the keys that are nil in enc.
// The values share the memory of enc. After ErrMalformed, m may be changed in
// part.
func Merge(m map[string]any, enc string, l Limits) error {
	if enc == "" {
		return nil
	}
	d := decoder{Reader: msgpack.NewReader(enc), Limits: l}
	n := d.Map()
	for d.enter(); n > 0 && d.sound(); n-- {
		key := d.text()
		if v := d.value(); v != nil {
			m[key] = v
		} else {
			delete(m, key)
		}
	}
	if !d.ended() {
		return ErrMalformed
	}
	return nil
}

// Check returns ErrMalformed unless enc is a normal form within the limits, so
// that encoding its decoded map gives enc again.
func Check(enc string, l Limits) error {
	m, err := Decode(enc, l)
	if err != nil {
		return err
	}
	again, err := Encode(m, l)
	if err != nil || again != enc {
		return ErrMalformed
	}
	return nil
}

type decoder struct {
	msgpack.Reader
	Limits
	depth  int
	failed bool
}

// enter reports whether one more level is allowed.
func (d *decoder) enter() bool {
	d.depth++
	d.failed = d.failed || d.depth > d.Depth
	return !d.failed
}

// sound reports whether no step has failed.
func (d *decoder) sound() bool { return !d.failed && !d.Failed() }

// ended reports whether all bytes were read without a failure.
func (d *decoder) ended() bool { return d.sound() && d.Len() == 0 }

func (d *decoder) object() map[string]any {
	n := d.Map()
	if !d.enter() {
		return nil
	}
	m := make(map[string]any, min(n, sane))
	for ; n > 0 && d.sound(); n-- {
		key := d.text()
		m[key] = d.value()
	}
	d.depth--
	return m
}

func (d *decoder) list() []any {
	n := d.Array()
	if !d.enter() {
		return nil
	}
	list := make([]any, 0, min(n, sane))
	for ; n > 0 && d.sound(); n-- {
		list = append(list, d.value())
	}
	d.depth--
	return list
}

// sane is the largest number of elements for which memory is allocated before
// they are read.
const sane = 64

func (d *decoder) text() string {
	s := d.Text()
	if !utf8.ValidString(s) {
		d.failed = true
	}
	return s
}

func (d *decoder) value() any {
	switch d.Peek() {
	case msgpack.Nil:
		d.Nil()
		return nil
	case msgpack.Bool:
		return d.Bool()
	case msgpack.Uint:
		return signed(d.Uint())
	case msgpack.Int:
		return d.Int()
	case msgpack.Float:
		return d.Float()
	case msgpack.Text:
		return d.text()
	case msgpack.Bin:
		return []byte(d.Bin())
	case msgpack.Ext:
		return d.Time()
	case msgpack.Array:
		return d.list()
	case msgpack.Map:
		return d.object()
	}
	d.failed = true
	return nil
}

// signed returns n as int64 if it fits, and otherwise as uint64.
func signed(n uint64) any {
	if i := int64(n); i >= 0 {
		return i
	}
	return n
}

// DecodeInto decodes a normal form into the value that v points at, by the
// rules of msgpack's struct tags. It leaves v alone for "". It returns
// ErrMalformed if enc is not a normal form, and another error if the value does
// not fit.
func DecodeInto(enc string, l Limits, v any) (err error) {
	if enc == "" {
		return nil
	}
	// The library's decoder has no limit of depth, so check enc first.
	if _, err := Decode(enc, l); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoding panicked with a %T", p)
		}
	}()
	return vmsgpack.NewDecoder(strings.NewReader(enc)).Decode(v)
}
