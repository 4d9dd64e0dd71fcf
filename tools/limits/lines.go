package main

import (
	"bytes"
	"go/ast"
	"strings"
	"unicode/utf8"
)

const (
	maxComment = 80  // columns of a line that holds nothing but a comment
	maxLine    = 120 // columns of any line
	tabColumns = 4
)

// checkLines checks the number of lines and the width of each.
func (r *report) checkLines(s *source) {
	lines := bytes.Split(bytes.TrimSuffix(s.text, []byte("\n")), []byte("\n"))
	if len(lines) > maxFileLines {
		r.add(longFile, s.name, "%d lines, limit %d", len(lines), maxFileLines)
	}
	comments := commentLines(s, lines)
	for i, line := range lines {
		width := columns(line)
		place := s.place(s.set.File(s.file.FileStart).LineStart(i + 1))
		switch {
		case width > maxComment && comments[i+1]:
			r.add(longComment, place, "a comment of %d columns, limit %d", width, maxComment)
		case width > maxLine && !isUnbreakable(string(line)):
			r.add(longLine, place, "%d columns, limit %d", width, maxLine)
		}
	}
}

// columns is the width of a line in an editor that shows a tab as four columns.
func columns(line []byte) int {
	n := 0
	for i := 0; i < len(line); {
		c, size := utf8.DecodeRune(line[i:])
		i += size
		if c == '\t' {
			n += tabColumns - n%tabColumns
		} else {
			n++
		}
	}
	return n
}

// commentLines returns the numbers of the lines that hold nothing but a comment
// whose author can break it.
func commentLines(s *source, lines [][]byte) map[int]bool {
	found := map[int]bool{}
	for _, group := range s.file.Comments {
		if s.isTest() && isExampleOutput(group) {
			continue
		}
		for _, c := range group.List {
			first := s.set.Position(c.Pos())
			last := s.set.Position(c.End())
			for n := first.Line; n <= last.Line; n++ {
				before := []byte(nil)
				after := []byte(nil)
				if n == first.Line {
					before = lines[n-1][:first.Column-1]
				}
				if n == last.Line {
					after = lines[n-1][last.Column-1:]
				}
				alone := len(bytes.TrimSpace(before))+len(bytes.TrimSpace(after)) == 0
				found[n] = alone && !isUnbreakable(string(lines[n-1]))
			}
		}
	}
	return found
}

// isExampleOutput is true of the comment that says what an example prints: its
// lines are as long as what is printed.
func isExampleOutput(group *ast.CommentGroup) bool {
	text := strings.ToLower(strings.TrimSpace(group.Text()))
	return strings.HasPrefix(text, "output:") || strings.HasPrefix(text, "unordered output:")
}

// isUnbreakable is true of lines that mean something else if they are broken:
// directives of the go command, and comments that are one word, such as a URL.
func isUnbreakable(line string) bool {
	text, ok := strings.CutPrefix(strings.TrimSpace(line), "//")
	return ok && (strings.HasPrefix(text, "go:") || len(strings.Fields(text)) == 1)
}
