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

// omissions lists what ADK's JSON of an event omits: maps and slices that are
// empty but not nil, pointers to zero values, and fractions of seconds. It maps
// the path of a field, in Go's names, to its value, or to nil if it is empty.
// ADK distinguishes some of these: a tool's empty response goes into the next
// prompt as {}, an absent response as null.
type omissions map[string]any

// omissionKey is the key of omissions in a message's metadata.
const omissionKey = "adk_omitted"

// maxOmissions is the largest number for one event, so that they fit the
// metadata.
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

// walk adds the omissions of v and of the values below it. Values in interfaces
// and maps keep the form that JSON gives them.
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

// scalar reports whether values of the type have no omissions.
func scalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Struct, reflect.Slice:
		return t == reflect.TypeFor[time.Time]()
	}
	return true
}

// restore sets the omitted values in e. It skips fields that this version of
// ADK does not have.
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

// step returns a field or an element of v, or the zero Value if v has none.
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
