package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// These are the columns of the table. The counted ones come last.
var (
	facts   = []string{"date", "commit", "machine", "seeds", "took", "outcome"}
	counted = []string{
		"calls", "images", "continued", "faults", "power cuts", "fs cuts", "kills", "model ops",
		"same answers", "damage trials", "backups", "mutants", "violations", "skipped",
	}
)

// row is one run.
type row struct {
	facts  []string
	counts tally
}

func newRow(t tally, seed uint64, rounds int, took time.Duration, failed bool) row {
	outcome := "passed"
	if failed {
		outcome = "FAILED"
	}
	commit, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return row{[]string{
		time.Now().UTC().Format(time.DateOnly), strings.TrimSpace(string(commit)),
		fmt.Sprintf("%d × %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version()),
		fmt.Sprintf("%d + 10 × %d", seed, rounds), took.Round(time.Second).String(), outcome,
	}, t}
}

// line returns the row of the table with these counted columns.
func (r row) line(counted []string) string {
	cells := append([]string{}, r.facts...)
	for _, c := range counted {
		cells = append(cells, strconv.Itoa(r.counts[c]))
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

func (r row) String() string { return r.line(counted) }

// parseRow parses a row that line wrote with these columns. An older file may
// have fewer columns. The missing counts are 0.
func parseRow(columns []string, line string) (row, bool) {
	cells := cellsOf(line)
	if len(cells) != len(columns) || len(cells) <= len(facts) {
		return row{}, false
	}
	r := row{facts: cells[:len(facts)], counts: tally{}}
	for i, cell := range cells[len(facts):] {
		n, err := strconv.Atoi(cell)
		if err != nil {
			return row{}, false
		}
		r.counts[columns[len(facts)+i]] = n
	}
	return r, r.facts[0] != "total"
}

// cellsOf returns the cells of a table's line, or nil if it is none.
func cellsOf(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// rowsOf returns the rows and the columns of a file. Its first line of cells
// names the columns.
func rowsOf(text string) (rows []row, columns []string) {
	for line := range strings.Lines(text) {
		if cells := cellsOf(line); columns == nil && cells != nil {
			columns = cells
		}
		if r, ok := parseRow(columns, line); ok {
			rows = append(rows, r)
		}
	}
	return rows, columns
}

// also returns the counted columns of this program and of the file. Another
// version of this program may have counted other things.
func also(columns []string) []string {
	var more []string
	for i, c := range columns {
		if i >= len(facts) && !slices.Contains(counted, c) {
			more = append(more, c)
		}
	}
	at := slices.Index(counted, "violations")
	return slices.Concat(counted[:at], more, counted[at:])
}

// evidenceHead begins the file.
//
//go:embed evidence_head.md
var evidenceHead string

// note adds the run to the file.
func note(path string, r row) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	rows, had := rowsOf(string(old))
	counted := also(had)
	columns := append(append([]string{}, facts...), counted...)
	var b strings.Builder
	b.WriteString(evidenceHead)
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	total := row{[]string{"total", "", "", "", "", ""}, tally{}}
	for _, r := range append(rows, r) {
		fmt.Fprintln(&b, r.line(counted))
		for column, n := range r.counts {
			total.counts[column] += n
		}
	}
	fmt.Fprintln(&b, total.line(counted))
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
