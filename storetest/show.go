package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/seshatdb/seshat"
)

// show prints everything that a caller can see of a session.
func show(s *seshat.Session) string {
	var b strings.Builder
	v := reflect.ValueOf(*s)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", f.Name, showField(v.Field(i).Interface()))
	}
	return b.String()
}

func showField(v any) string {
	switch v := v.(type) {
	case seshat.Document:
		return fmt.Sprintf("%#v", v.Map())
	case seshat.AgentConfig: // contains pointers
		text, err := json.Marshal(v)
		return fmt.Sprintf("%s %v", text, err)
	}
	return fmt.Sprintf("%#v", v)
}

// same fails the test unless two sessions look the same to callers.
func (e *env) same(what string, got, want *seshat.Session) {
	e.Helper()
	if g, w := show(got), show(want); g != w {
		e.Fatalf("%s: got\n%s\nwant\n%s", what, g, w)
	}
}
