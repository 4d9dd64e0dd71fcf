package adk

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
)

// omissions is what ADK's JSON of an event does not carry: maps and slices
// that are empty but not nil, pointers to what is zero, and fractions of
// seconds. It maps the path of a field, in Go's names, to its value: nil for
// what is empty. ADK tells some of them apart: a tool's empty response goes
// into the next prompt as {}, an absent one as null.
type omissions map[string]any

// omissionKey is the key of a message's metadata that holds them.
const omissionKey = "adk_omitted"

// maxOmissions bounds what one event may have, so that they fit the metadata.
const maxOmissions = 500

func (o omissions) document() seshat.Document {
	if len(o) == 0 {
		return seshat.Document{}
	}
	return seshat.NewDocument(map[string]any{omissionKey: map[string]any(o)})
}

func omissionsIn(d seshat.Document) omissions {
	if d.IsZero() {
		return nil
	}
	o, _ := d.Map()[omissionKey].(map[string]any)
	return o
}

func omissionsOf(e *session.Event) omissions {
	o := omissions{}
	o.walk(reflect.ValueOf(e).Elem(), "")
	if n := e.NodeInfo; n != nil && n.Path == "" && !n.MessageAsOutput && len(n.OutputFor) == 0 {
		o["NodeInfo"] = nil // ADK reads it as nil
	}
	return o
}

var durationType = reflect.TypeFor[time.Duration]()

// walk adds what is omitted of v and below. Values in interfaces and maps keep
// what JSON makes of them.
func (o omissions) walk(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			o.walk(v.Elem(), path)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				o.field(v.Field(i), f, path)
			}
		}
	case reflect.Slice:
		if scalar(v.Type().Elem()) {
			return
		}
		for i := range v.Len() {
			o.walk(v.Index(i), path+"."+strconv.Itoa(i))
		}
	}
}

func (o omissions) field(v reflect.Value, f reflect.StructField, path string) {
	name := strings.TrimPrefix(path+"."+f.Name, ".")
	if len(o) == maxOmissions {
		return
	}
	switch k := v.Kind(); {
	case (k == reflect.Map || k == reflect.Slice) && !v.IsNil() && v.Len() == 0:
		if strings.Contains(f.Tag.Get("json"), ",omitempty") {
			o[name] = nil
		}
	case f.Type == durationType && v.Int()%int64(time.Second) != 0:
		o[name] = v.Int()
	case !scalar(f.Type):
		o.walk(v, name)
	}
}

// scalar reports whether nothing can be omitted in a value of that type.
func scalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Struct, reflect.Slice:
		return t == reflect.TypeFor[time.Time]()
	}
	return true
}

// restore sets what is omitted in e. A field that another version of ADK does
// not have is passed over.
func (o omissions) restore(e *session.Event) {
	for _, path := range slices.Sorted(maps.Keys(o)) {
		v := reflect.ValueOf(e).Elem()
		for name := range strings.SplitSeq(path, ".") {
			v = step(v, name)
		}
		if v.IsValid() {
			set(v, o[path])
		}
	}
}

// step returns a field or an element of v; the zero Value if it has none such.
func step(v reflect.Value, name string) reflect.Value {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		return v.FieldByName(name)
	case reflect.Slice:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < v.Len() {
			return v.Index(i)
		}
	}
	return reflect.Value{}
}

func set(v reflect.Value, omitted any) {
	n, isNumber := omitted.(int64)
	switch k := v.Kind(); {
	case isNumber && v.CanInt():
		v.SetInt(n)
	case k == reflect.Map && v.IsNil():
		v.Set(reflect.MakeMap(v.Type()))
	case k == reflect.Slice && v.IsNil():
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	case k == reflect.Pointer && v.IsNil():
		v.Set(reflect.New(v.Type().Elem()))
	}
}
