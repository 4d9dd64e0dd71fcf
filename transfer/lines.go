package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/seshatdb/seshat"
)

// DefaultMaxLine is the default of [Options].MaxLine, in bytes. Exports of this
// package have no longer lines.
const DefaultMaxLine = 64 << 20

// lines reads lines of bounded length and keeps one of them at a time.
type lines struct {
	r    *bufio.Reader
	most int
	buf  []byte
	n    int  // number of the last line, from 1
	cut  bool // the last line has no line end
}

func newLines(r io.Reader, most int) *lines {
	if most <= 0 {
		most = DefaultMaxLine
	}
	return &lines{r: bufio.NewReaderSize(r, 64<<10), most: most}
}

// next returns the next line with its line end. The bytes are valid until the
// next call. It returns io.EOF at the end, and ErrLineTooLong.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	l.cut = false
	l.n++
	for {
		part, err := l.r.ReadSlice('\n')
		l.buf = append(l.buf, part...)
		if len(l.buf) > l.most {
			return nil, l.fail(ErrLineTooLong)
		}
		switch {
		case err == nil:
			return l.buf, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(l.buf) > 0:
			l.cut = true
			return l.buf, nil
		case errors.Is(err, io.EOF):
			l.n--
			return nil, io.EOF
		default:
			return nil, l.fail(err)
		}
	}
}

// decode decodes the line's JSON into v. Invalid JSON without a line end was
// truncated.
func (l *lines) decode(v any) error {
	err := json.Unmarshal(l.buf, v)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case l.cut && errors.As(err, &syntax):
		return l.fail(ErrTruncated)
	case errors.As(err, &syntax):
		return l.fail(malformed("the line is not valid JSON: %v", err))
	}
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		value, _, _ := strings.Cut(kind.Value, " ") // a number follows its value
		err = malformed("%s must not be a JSON %s", kind.Field, value)
	case !errors.Is(err, seshat.ErrInvalid): // such as a time's, which would show the text
		err = malformed("a time is not of RFC 3339, or bytes are not base64")
	}
	return l.fail(err)
}

// blank reports whether the line is empty.
func (l *lines) blank() bool { return len(bytes.TrimSpace(l.buf)) == 0 }

func (l *lines) fail(err error) error { return &LineError{Line: l.n, Err: err} }
