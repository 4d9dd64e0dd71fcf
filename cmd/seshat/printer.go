package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// printer prints the result of a verb: as JSON if asked for, as a table on a
// terminal, and otherwise as lines of tab-separated values.
type printer struct {
	w     *output
	json  bool
	tty   bool
	color bool
	width int // columns of the terminal
}

// output remembers the first write error.
type output struct {
	w   io.Writer
	err error
}

// Write writes p unless an earlier write failed.
func (o *output) Write(p []byte) (n int, err error) {
	if o.err == nil {
		n, o.err = o.w.Write(p)
	}
	return n, o.err
}

func newPrinter(w io.Writer, asJSON bool) *printer {
	p := &printer{w: &output{w: w}, json: asJSON, width: 80}
	fd, ok := terminal(w)
	if !ok {
		return p
	}
	p.tty = true
	p.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if n, _, err := term.GetSize(fd); err == nil && n > 0 {
		p.width = n
	}
	return p
}

// terminal returns the file descriptor of stream if it is a terminal.
func terminal(stream any) (fd int, ok bool) {
	f, ok := stream.(*os.File)
	if !ok {
		return 0, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

// show prints v if JSON is asked for. Otherwise it calls human.
func (p *printer) show(v any, human func()) error {
	if p.json {
		return p.object(v)
	}
	human()
	return nil
}

// object prints v as JSON: on one line, or indented on a terminal.
func (p *printer) object(v any) error {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	if p.tty {
		e.SetIndent("", "  ")
	}
	return e.Encode(v)
}

// nullZero sets pointers to the zero time to nil, which is null in JSON.
func nullZero(times ...**time.Time) {
	for _, t := range times {
		if *t != nil && (*t).IsZero() {
			*t = nil
		}
	}
}

// line prints a sentence.
func (p *printer) line(format string, args ...any) {
	fmt.Fprintln(p.w, printable(fmt.Sprintf(format, args...)))
}

// table prints rows. It shortens the last column to the width of the terminal.
func (p *printer) table(header []string, rows [][]string) {
	if !p.tty {
		for _, r := range rows {
			p.tabbed(r)
		}
		return
	}
	if len(rows) == 0 {
		return
	}
	t := p.writer()
	head := make(table.Row, len(header))
	for i, h := range header {
		head[i] = p.dim(h)
	}
	t.AppendHeader(head)
	for _, r := range rows {
		t.AppendRow(p.row(r))
	}
	t.Render()
}

// field is a name and its value.
type field struct{ name, value string }

// fields prints one field a line and leaves out empty values.
func (p *printer) fields(fs ...field) {
	t := p.writer()
	for _, f := range fs {
		switch {
		case f.value == "":
		case p.tty:
			t.AppendRow(table.Row{p.dim(f.name), p.cell(f.value)})
		default:
			p.tabbed([]string{f.name, f.value})
		}
	}
	if p.tty {
		t.Render()
	}
}

func (p *printer) writer() table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(p.w)
	t.SetStyle(table.StyleLight)
	s := t.Style()
	s.Options = table.OptionsNoBordersAndSeparators
	s.Format.Header = text.FormatDefault
	s.Box.PaddingLeft = ""
	s.Box.PaddingRight = "  "
	s.Size.WidthMax = p.width
	return t
}

func (p *printer) row(cells []string) table.Row {
	r := make(table.Row, len(cells))
	for i, c := range cells {
		r[i] = p.cell(c)
	}
	return r
}

// cell makes a value safe for a terminal and colours statuses.
func (p *printer) cell(v string) string {
	v = printable(v)
	c, ok := colors[v]
	if !ok || !p.color {
		return v
	}
	return paint(c, v)
}

// colors of statuses and verdicts.
var colors = map[string]text.Color{
	"active": text.FgGreen, "idle": text.FgYellow, "archived": text.FgBlue, "terminated": text.FgHiBlack,
	"user": text.FgCyan, "assistant": text.FgGreen, "tool": text.FgMagenta, "system": text.FgYellow,
	"sound": text.FgGreen, "DAMAGED": text.FgRed,
}

func (p *printer) dim(v string) string {
	if !p.color {
		return v
	}
	return paint(text.Faint, v)
}

// paint colours v even if the library finds no terminal.
func paint(c text.Color, v string) string {
	return c.EscapeSeq() + v + text.Reset.EscapeSeq()
}

func (p *printer) tabbed(cells []string) {
	safe := make([]string, len(cells))
	for i, c := range cells {
		safe[i] = printable(c)
	}
	fmt.Fprintln(p.w, strings.Join(safe, "\t"))
}

// printable puts foreign text on one line without control characters, so that
// it can neither break a table nor control a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}
