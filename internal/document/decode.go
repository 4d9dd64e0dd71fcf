package document

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/seshatdb/seshat/internal/msgpack"
)

// ErrMalformed is the error for bytes that no Encode made.
var ErrMalformed = errors.New("not a document in normal form")

// Decode returns the map of a normal form as fresh values; nil for "". Any
// other bytes give ErrMalformed, or values that Check would not let pass, but
// neither a panic nor more memory than a small multiple of their length.
func Decode(enc string, l Limits) (map[string]any, error) {
	if enc == "" {
		return nil, nil
	}
	// One copy for all strings: enc may be a small part of something large.
	d := decoder{Reader: msgpack.NewReader(strings.Clone(enc)), Limits: l}
	m := d.object()
	if !d.ended() {
		return nil, ErrMalformed
	}
	return m, nil
}

// Merge sets in m what Decode would return, and deletes the keys that are nil
// in it. The values share the memory of enc. After ErrMalformed some of it may
// be done.
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

// Check reports whether enc is a normal form within the limits: what Encode
// makes of what Decode makes of it. ErrMalformed: it is not.
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

// sound reports whether nothing has failed yet.
func (d *decoder) sound() bool { return !d.failed && !d.Failed() }

// ended reports whether all was read, and read well.
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

// sane bounds what is allocated for a length before its elements were seen.
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

// signed returns n as int64 if it fits.
func signed(n uint64) any {
	if i := int64(n); i >= 0 {
		return i
	}
	return n
}

// DecodeInto decodes a normal form into the value that v points at, by the
// rules of msgpack's struct tags; "" leaves it alone. ErrMalformed: enc is no
// normal form. Any other error: it does not fit.
func DecodeInto(enc string, l Limits, v any) (err error) {
	if enc == "" {
		return nil
	}
	// The decoder below recurses as deep as it is told to.
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
