package document

import (
	"fmt"
	"reflect"
)

// reflected appends the values that value has no case for: other sizes of
// numbers, named types, and lists and maps of other types.
func (e *encoder) reflected(v any) error {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Bool:
		return e.value(r.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return e.value(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return e.value(r.Uint())
	case reflect.Float32, reflect.Float64:
		return e.float(r.Float())
	case reflect.String:
		return e.text(r.String())
	case reflect.Slice, reflect.Array:
		return e.reflectedList(r)
	case reflect.Map:
		return e.reflectedMap(r)
	}
	return refuse(fmt.Sprintf("is a %s; only text, numbers, booleans, bytes, times, "+
		"slices, and maps by text are allowed", r.Type()))
}

// reflectedList appends a slice or an array. One of bytes becomes bytes.
func (e *encoder) reflectedList(r reflect.Value) error {
	if r.Kind() == reflect.Slice && r.IsNil() {
		return e.value(nil)
	}
	n := r.Len()
	if n > e.Bytes {
		return e.tooLarge()
	}
	if r.Type().Elem().Kind() == reflect.Uint8 {
		data := make([]byte, n)
		reflect.Copy(reflect.ValueOf(data), r)
		return e.bin(data)
	}
	list := make([]any, n)
	for i := range list {
		list[i] = r.Index(i).Interface()
	}
	return encodeList(e, list, (*encoder).value)
}

func (e *encoder) reflectedMap(r reflect.Value) error {
	if r.Type().Key().Kind() != reflect.String {
		return refuse(fmt.Sprintf("has keys of type %s; only strings are allowed", r.Type().Key()))
	}
	if r.IsNil() {
		return e.value(nil)
	}
	if r.Len() > e.Bytes {
		return e.tooLarge()
	}
	m := make(map[string]any, r.Len())
	for it := r.MapRange(); it.Next(); {
		m[it.Key().String()] = it.Value().Interface()
	}
	return encodeMap(e, m, (*encoder).value)
}
