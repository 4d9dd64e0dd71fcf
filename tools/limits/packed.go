package main

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"maps"
	"slices"
	"strings"
)

const (
	// maxPacked bounds the packed assignments in 1,000 lines of code. It is
	// not zero, as a swap and the head of a loop over two indexes are packed
	// too.
	maxPacked = 2

	// minPackedLines is the size from which an area has a limit of its own. In
	// a smaller one a single swap would pass it.
	minPackedLines = 1000
)

// A packedCount counts assignments that pack several values, as in a, b = x, y.
type packedCount struct {
	assigns, lines int
}

// countPacked counts in the area of the file, which is the root package or a
// folder of the repository's root. A limit for each package would punish a swap
// in a small one, and a limit on the whole alone would let one area take the
// share of all others.
func (r *report) countPacked(s *source) {
	area, _, below := strings.Cut(s.name, "/")
	if !below {
		area = "."
	}
	count := r.packed[area]
	if count == nil {
		count = &packedCount{}
		r.packed[area] = count
	}
	count.lines += codeLines(s.text)
	ast.Inspect(s.file, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if ok && len(a.Lhs) > 1 && len(a.Rhs) == len(a.Lhs) {
			count.assigns++
		}
		return true
	})
}

// checkPacked compares the areas that are large enough, and their sum, with the
// limit.
func (r *report) checkPacked() {
	whole := packedCount{}
	for _, area := range slices.Sorted(maps.Keys(r.packed)) {
		count := r.packed[area]
		whole.assigns += count.assigns
		whole.lines += count.lines
		if count.lines >= minPackedLines {
			r.checkPackedIn(area, *count)
		}
	}
	if whole.lines >= minPackedLines {
		r.checkPackedIn("all areas", whole)
	}
}

func (r *report) checkPackedIn(area string, count packedCount) {
	if count.assigns*1000 > maxPacked*count.lines {
		r.add(packedAssigns, area, "%d packed assignments in %d lines of code, limit %d in 1,000",
			count.assigns, count.lines, maxPacked)
	}
}

// codeLines counts the lines on which a token begins.
func codeLines(src []byte) int {
	set := token.NewFileSet()
	file := set.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	n := 0
	last := 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return n
		}
		inserted := tok == token.SEMICOLON && lit == "\n"
		if line := file.Line(pos); line != last && !inserted {
			n++
			last = line
		}
	}
}
