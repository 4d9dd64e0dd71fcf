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

// DefaultMaxLine is the longest line that is read unless an option says
// otherwise, in bytes. No export of this package has a longer one.
const DefaultMaxLine = 64 << 20

// lines reads lines of a bounded length, of which it keeps one at a time.
type lines struct {
	r    *bufio.Reader
	most int
	buf  []byte
	n    int  // of the line read last, from 1
	cut  bool // that line had no end
}

func newLines(r io.Reader, most int) *lines {
	if most <= 0 {
		most = DefaultMaxLine
	}
	return &lines{r: bufio.NewReaderSize(r, 64<<10), most: most}
}

// next returns the next line with its end, valid until the next call. io.EOF:
// there is none. ErrLineTooLong.
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

// decode reads the line's JSON into v. A line without an end that is no JSON
// was cut off.
func (l *lines) decode(v any) error {
	err := json.Unmarshal(l.buf, v)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case l.cut && errors.As(err, &syntax):
		return l.fail(ErrTruncated)
	case errors.As(err, &syntax):
		return l.fail(malformed("it is not valid JSON: %v", err))
	}
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		value, _, _ := strings.Cut(kind.Value, " ") // a number follows its value
		err = malformed("%s is a JSON %s, which does not fit there", kind.Field, value)
	case !errors.Is(err, seshat.ErrInvalid): // such as a time's, which would show the text
		err = malformed("a time is not of RFC 3339, or bytes are not base64")
	}
	return l.fail(err)
}

// blank reports whether the line holds nothing.
func (l *lines) blank() bool { return len(bytes.TrimSpace(l.buf)) == 0 }

func (l *lines) fail(err error) error { return &LineError{Line: l.n, Err: err} }
