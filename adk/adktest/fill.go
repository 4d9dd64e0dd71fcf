package adktest

import (
	"reflect"
	"time"

	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"
)

// full returns an event in which every field has a value, at every depth.
func full() *session.Event {
	var e session.Event
	fill(reflect.ValueOf(&e).Elem(), 0)
	e.ID = "full"
	e.Partial = false
	for _, p := range e.Content.Parts {
		p.Thought = false
	}
	e.Content.Role = genai.RoleModel
	e.RequestedInput.ResponseSchema = nil // fill makes no valid schema
	return &e
}

// maxDepth is the depth at which fill stops in recursive types.
const maxDepth = 12

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
)

// fill sets v and everything inside it to values that are not zero.
func fill(v reflect.Value, depth int) {
	if depth > maxDepth || !v.CanSet() {
		return
	}
	switch v.Type() {
	case timeType:
		v.Set(reflect.ValueOf(begin.Add(123456 * time.Microsecond)))
		return
	case durationType:
		v.SetInt(int64(90 * time.Second))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("é<&\u2028\"")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.125)
	case reflect.Interface:
		if v.NumMethod() == 0 {
			v.Set(reflect.ValueOf(map[string]any{"list": []any{"a", 1.5, nil, true}, "empty": map[string]any{}}))
		}
	default:
		fillComposite(v, depth+1)
	}
}

func fillComposite(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		fill(p.Elem(), depth)
		v.Set(p)
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 2, 2)
		for i := range s.Len() {
			fill(s.Index(i), depth)
		}
		v.Set(s)
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		key := reflect.New(v.Type().Key()).Elem()
		value := reflect.New(v.Type().Elem()).Elem()
		fill(key, depth)
		fill(value, depth)
		m.SetMapIndex(key, value)
		v.Set(m)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				fill(v.Field(i), depth)
			}
		}
	}
}
