package sessionhttp

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonin"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// fieldProblem describes an invalid field and its limits.
type fieldProblem struct {
	field, message   string
	minimum, maximum string // numbers, "" = none
}

// problems collects the invalid fields of a request, to report all of them at
// once.
type problems struct {
	list []fieldProblem
}

// maxProblems is the largest number of fields that one answer names.
const maxProblems = 32

func (ps *problems) add(field, message string) { ps.limit(field, message, "", "") }

func (ps *problems) limit(field, message, minimum, maximum string) {
	if len(ps.list) < maxProblems {
		ps.list = append(ps.list, fieldProblem{field, message, minimum, maximum})
	}
}

// err returns all problems as one error, nil if there are none.
func (ps *problems) err() error {
	if len(ps.list) == 0 {
		return nil
	}
	return ps.problem()
}

func (ps *problems) problem() *problem {
	p := &problem{status: http.StatusUnprocessableEntity}
	b := []byte{'['}
	for i, f := range ps.list {
		if i > 0 {
			b = append(b, ',')
			p.message += "; "
		}
		p.message += f.field + " " + f.message
		b = jsonout.Text(append(b, `{"field":`...), f.field)
		b = jsonout.Text(append(b, `,"message":`...), f.message)
		b = orNull(append(b, `,"minimum":`...), f.minimum)
		b = orNull(append(b, `,"maximum":`...), f.maximum)
		b = append(b, '}')
	}
	p.details = []detail{{"fields", append(b, ']')}}
	return p
}

func orNull(b []byte, number string) []byte {
	if number == "" {
		return jsonout.Null(b)
	}
	return append(b, number...)
}

// form is a JSON object from which fields are read one by one. A null counts as
// absent. Fields that were not read are reported as unknown.
type form struct {
	*problems
	path    string // prefix of field names, such as "agent_config."
	members []jsonin.Member
	taken   []bool
}

func newForm(ps *problems, path string, object jsonin.Raw) *form {
	m := object.Members()
	return &form{ps, path, m, make([]bool, len(m))}
}

// take reads a field. It returns nil if the field is absent or null.
func (f *form) take(name string) jsonin.Raw {
	for i := range f.members {
		if f.members[i].Name == name {
			f.taken[i] = true
			return f.members[i].Value
		}
	}
	return nil
}

// takeKind reads a field of one kind. It returns nil if the field is absent,
// null or of another kind.
func (f *form) takeKind(name string, kind jsonin.Kind) jsonin.Raw {
	v := f.take(name)
	if v == nil || v.Kind() == jsonin.Null {
		return nil
	}
	if v.Kind() != kind {
		f.add(f.path+name, "is "+string(v.Kind())+"; "+string(kind)+" is wanted")
		return nil
	}
	return v
}

// done reports the fields that were not read.
func (f *form) done() {
	for i, taken := range f.taken {
		if !taken {
			f.add(f.path+shortened(f.members[i].Name), "is not a field of this request")
		}
	}
}

func shortened(name string) string {
	if len(name) <= seshat.MaxNameBytes {
		return name
	}
	return strings.ToValidUTF8(name[:seshat.MaxNameBytes], "") + "…"
}

// child reads an object as a form. It returns nil if the field is absent.
func (f *form) child(name string) *form {
	if v := f.takeKind(name, jsonin.Object); v != nil {
		return newForm(f.problems, f.path+name+".", v)
	}
	return nil
}

// text reads a string of up to most bytes.
func (f *form) text(name string, most int) string {
	v := f.takeKind(name, jsonin.String)
	if v == nil {
		return ""
	}
	s := jsonin.Text(v)
	if len(s) > most {
		f.limit(f.path+name, "has "+strconv.Itoa(len(s))+" bytes; at most "+strconv.Itoa(most)+" are allowed", "",
			strconv.Itoa(most))
		return ""
	}
	return s
}

// name reads an id, name, user or label.
func (f *form) name(name string) string {
	s := f.text(name, seshat.MaxNameBytes)
	f.checkName(f.path+name, s)
	return s
}

func (f *form) checkName(field, s string) {
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }) {
		f.add(field, "has a control character; none are allowed")
	}
}

// given reports whether the field is present and not null.
func (f *form) given(name string) bool {
	v := f.take(name)
	return v != nil && v.Kind() != jsonin.Null
}

// uint reads an integer.
func (f *form) uint(name string, least, most uint64) *uint64 {
	v := f.takeKind(name, jsonin.Number)
	if v == nil {
		return nil
	}
	n, err := strconv.ParseUint(string(v), 10, 64)
	if err != nil || n < least || n > most {
		lo := strconv.FormatUint(least, 10)
		hi := strconv.FormatUint(most, 10)
		f.limit(f.path+name, "must be an integer from "+lo+" to "+hi, lo, hi)
		return nil
	}
	return &n
}

// float reads a number from 0 to most.
func (f *form) float(name string, most float64) *float64 {
	v := f.takeKind(name, jsonin.Number)
	if v == nil {
		return nil
	}
	n, err := strconv.ParseFloat(string(v), 64)
	if err != nil || !(n >= 0 && n <= most) {
		hi := strconv.FormatFloat(most, 'g', -1, 64)
		f.limit(f.path+name, "is outside 0 to "+hi, "0", hi)
		return nil
	}
	return &n
}

// flag reads a boolean.
func (f *form) flag(name string, absent bool) bool {
	v := f.takeKind(name, jsonin.Bool)
	if v == nil {
		return absent
	}
	return string(v) == "true"
}

// time reads a time in RFC 3339.
func (f *form) time(name string) time.Time {
	v := f.takeKind(name, jsonin.String)
	if v == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, jsonin.Text(v))
	if err != nil || t.Year() < 1 || t.Year() > 9998 {
		f.add(f.path+name, "must be a time in RFC 3339, such as 2026-01-05T09:30:00.000Z")
		return time.Time{}
	}
	return t
}

// texts reads an array of up to most names.
func (f *form) texts(name string, most int) []string {
	v := f.takeKind(name, jsonin.Array)
	if v == nil {
		return nil
	}
	items := v.Items()
	if len(items) > most {
		f.limit(f.path+name, "has "+strconv.Itoa(len(items))+" items; at most "+strconv.Itoa(most)+" are allowed", "",
			strconv.Itoa(most))
		return nil
	}
	out := make([]string, len(items))
	for i, item := range items {
		field := f.path + name + "[" + strconv.Itoa(i) + "]"
		if out[i] = f.itemName(field, item); out[i] == "" {
			return nil
		}
	}
	return out
}

// itemName returns a name that must not be empty. If it is invalid, itemName
// reports it and returns "".
func (f *form) itemName(field string, v jsonin.Raw) string {
	if v.Kind() != jsonin.String {
		f.add(field, "is "+string(v.Kind())+"; a string is required")
		return ""
	}
	s := jsonin.Text(v)
	if s == "" || len(s) > seshat.MaxNameBytes {
		f.limit(field, "has "+strconv.Itoa(len(s))+" bytes; 1 to "+strconv.Itoa(seshat.MaxNameBytes)+" are allowed",
			"1",
			strconv.Itoa(seshat.MaxNameBytes))
		return ""
	}
	before := len(f.list)
	if f.checkName(field, s); len(f.list) > before {
		return ""
	}
	return s
}

// labels reads an object of strings.
func (f *form) labels(name string) map[string]string {
	v := f.takeKind(name, jsonin.Object)
	if v == nil {
		return nil
	}
	members := v.Members()
	if len(members) > seshat.MaxLabels {
		f.limit(f.path+name, "has "+strconv.Itoa(len(members))+" labels; at most "+strconv.Itoa(seshat.MaxLabels)+
			" are allowed", "", strconv.Itoa(seshat.MaxLabels))
		return nil
	}
	inner := newForm(f.problems, f.path+name+".", v)
	out := make(map[string]string, len(members))
	for _, m := range members {
		if m.Name == "" || len(m.Name) > seshat.MaxNameBytes || !utf8.ValidString(m.Name) {
			f.add(f.path+name+"."+shortened(m.Name), "must be a label name of 1 to 128 bytes")
			continue
		}
		f.checkName(f.path+name, m.Name)
		out[m.Name] = inner.name(m.Name)
	}
	return out
}

// document reads an object with any values.
func (f *form) document(name string) (d seshat.Document) {
	v := f.takeKind(name, jsonin.Object)
	if v == nil {
		return d
	}
	// The JSON of a valid document is always smaller.
	if len(v) > 8*seshat.MaxDocumentBytes {
		f.limit(f.path+name, "is too large", "", strconv.Itoa(seshat.MaxDocumentBytes))
		return d
	}
	if err := d.UnmarshalJSON(v); err != nil {
		f.refused(f.path+name, err)
	}
	return d
}

// refused reports the store's error about a document.
func (f *form) refused(field string, err error) {
	where := field
	why := "is not allowed"
	var e *seshat.InvalidError
	if errors.As(err, &e) {
		where = field + strings.TrimPrefix(e.Field, "document")
		why = e.Reason
	}
	f.limit(where, why, "", strconv.Itoa(seshat.MaxDocumentBytes))
}

// json reads any value without decoding it. It returns nil if the field is
// absent or null.
func (f *form) json(name string) json.RawMessage {
	v := f.take(name)
	if v == nil || v.Kind() == jsonin.Null {
		return nil
	}
	return json.RawMessage(v)
}

// duration reads a duration in Go's syntax, or "never".
func (f *form) duration(name string) time.Duration {
	v := f.takeKind(name, jsonin.String)
	if v == nil {
		return 0
	}
	s := jsonin.Text(v)
	if s == "never" {
		return seshat.Never
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > math.MaxInt64/2 {
		f.add(f.path+name, `must be a positive duration such as "168h" or "1m30s", or "never"`)
		return 0
	}
	return d
}
