package postgres

import (
	"strconv"
	"strings"
)

// selection builds a statement and its arguments.
type selection struct {
	sql  strings.Builder
	args []any
}

func (s *selection) arg(v any) {
	s.args = append(s.args, v)
	s.sql.WriteByte('$')
	s.sql.WriteString(strconv.Itoa(len(s.args)))
}

// then appends text and an argument.
func (s *selection) then(text string, v any) {
	s.sql.WriteString(text)
	s.arg(v)
}

// and appends a condition that ends with an argument.
func (s *selection) and(text string, v any) { s.then(` and `+text, v) }
