package document

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seshatdb/seshat/internal/msgpack"
)

// Encode returns the normal form of m, "" if m is empty. It reports a value
// that is not allowed as *Error.
func Encode(m map[string]any, l Limits) (string, error) {
	if len(m) == 0 {
		return "", nil
	}
	e := encoder{Limits: l}
	if err := e.value(m); err != nil {
		return "", err
	}
	return string(e.b), nil
}

// encoder appends values. Its work is bounded by its limits for any input:
// before it enters a map or list, it checks that the elements fit, and each
// value takes at least one byte.
type encoder struct {
	Limits
	b     []byte
	depth int
}

// value appends v. Types that need reflection come last.
func (e *encoder) value(v any) error {
	switch v := v.(type) {
	case nil:
		e.b = msgpack.AppendNil(e.b)
	case string:
		return e.text(v)
	case bool:
		e.b = msgpack.AppendBool(e.b, v)
	case int:
		e.b = msgpack.AppendInt(e.b, int64(v))
	case int64:
		e.b = msgpack.AppendInt(e.b, v)
	case uint64:
		e.b = msgpack.AppendUint(e.b, v)
	case float64:
		return e.float(v)
	case []byte:
		return e.bin(v)
	case time.Time:
		return e.time(v)
	case map[string]any:
		return encodeMap(e, v, (*encoder).value)
	case []any:
		return encodeList(e, v, (*encoder).value)
	case map[string]string:
		return encodeMap(e, v, (*encoder).text)
	case []string:
		return encodeList(e, v, (*encoder).text)
	case json.Number:
		return e.number(v)
	default:
		return e.reflected(v)
	}
	return e.room(0)
}

// room checks that n more bytes fit.
func (e *encoder) room(n int) error {
	if n > e.Bytes-len(e.b) {
		return e.tooLarge()
	}
	return nil
}

func (e *encoder) text(s string) error {
	if err := e.room(1 + len(s)); err != nil {
		return err
	}
	if !utf8.ValidString(s) {
		return refuse(notUTF8)
	}
	e.b = msgpack.AppendText(e.b, s)
	return e.room(0)
}

func (e *encoder) bin(data []byte) error {
	if data == nil {
		return e.value(nil)
	}
	if err := e.room(2 + len(data)); err != nil {
		return err
	}
	e.b = msgpack.AppendBin(e.b, data)
	return e.room(0)
}

func (e *encoder) float(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return refuse(notFinite)
	}
	e.b = msgpack.AppendFloat(e.b, f)
	return e.room(0)
}

func (e *encoder) time(t time.Time) error {
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		return refuse("is a time outside the allowed years, 0 to 9999")
	}
	e.b = msgpack.AppendTime(e.b, t)
	return e.room(0)
}

func (e *encoder) number(n json.Number) error {
	v, err := parseNumber(string(n))
	if err != nil {
		return err
	}
	return e.value(v)
}

// parseNumber returns a JSON number as int64, uint64 or float64.
func parseNumber(s string) (any, error) {
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
		if n, err := strconv.ParseUint(s, 10, 64); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, refuse("is not a number that 64 bits can hold")
	}
	return f, nil
}

// enter enters a map or list of n values of at least size bytes each.
func (e *encoder) enter(n, size int) error {
	if e.depth++; e.depth > e.Depth {
		return e.tooDeep()
	}
	if n > e.Bytes {
		return e.tooLarge()
	}
	return e.room(1 + n*size)
}

func encodeMap[V any](e *encoder, m map[string]V, value func(*encoder, V) error) error {
	if m == nil {
		return e.value(nil)
	}
	if err := e.enter(len(m), 2); err != nil {
		return err
	}
	e.b = msgpack.AppendMap(e.b, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if err := e.text(k); err != nil {
			return within(keyStep(k), err)
		}
		if err := value(e, m[k]); err != nil {
			return within(keyStep(k), err)
		}
	}
	e.depth--
	return nil
}

func encodeList[V any](e *encoder, list []V, value func(*encoder, V) error) error {
	if list == nil {
		return e.value(nil)
	}
	if err := e.enter(len(list), 1); err != nil {
		return err
	}
	e.b = msgpack.AppendArray(e.b, len(list))
	for i, v := range list {
		if err := value(e, v); err != nil {
			return within(indexStep(i), err)
		}
	}
	e.depth--
	return nil
}
