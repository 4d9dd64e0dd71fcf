package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// FromJSON reads a JSON object into a map for Encode, nil for null. Numbers
// without fraction and exponent become int64, or uint64 if they do not fit. All
// others become float64. FromJSON rejects input that encoding/json would accept
// but change: duplicate keys, invalid UTF-8, and anything after the object. Its
// errors are *Error.
func FromJSON(data []byte, l Limits) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, refuse(notUTF8)
	}
	d := parser{json.NewDecoder(bytes.NewReader(data)), l.Depth, l}
	d.UseNumber()
	v, err := d.value()
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse("is followed by something else; one JSON object or null is allowed")
	}
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		return nil, refuse("is not a JSON object; an object or null is allowed")
	}
	return m, nil
}

type parser struct {
	*json.Decoder
	levels int // levels still allowed
	Limits
}

func (p *parser) token() (json.Token, error) {
	t, err := p.Token()
	if err != nil {
		return nil, refuse("is not valid JSON; one JSON object or null is allowed")
	}
	return t, nil
}

func (p *parser) value() (any, error) {
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		return parseNumber(string(t))
	case json.Delim:
		return p.nested(t)
	}
	return t, nil
}

// nested reads the rest of an object or array after its opening bracket.
func (p *parser) nested(open json.Delim) (v any, err error) {
	if p.levels--; p.levels < 0 {
		return nil, p.tooDeep()
	}
	if open == '{' {
		v, err = p.object()
	} else {
		v, err = p.list()
	}
	if err != nil {
		return nil, err
	}
	p.levels++
	_, err = p.token()
	return v, err
}

func (p *parser) object() (map[string]any, error) {
	m := map[string]any{}
	for p.More() {
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		key := t.(string) // keys are always strings
		if _, twice := m[key]; twice {
			return nil, within(keyStep(key), refuse("is given twice; each key is allowed once"))
		}
		if m[key], err = p.value(); err != nil {
			return nil, within(keyStep(key), err)
		}
	}
	return m, nil
}

func (p *parser) list() ([]any, error) {
	list := []any{}
	for p.More() {
		v, err := p.value()
		if err != nil {
			return nil, within(indexStep(len(list)), err)
		}
		list = append(list, v)
	}
	return list, nil
}
