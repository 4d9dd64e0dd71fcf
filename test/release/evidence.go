package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// columns are what a run is told in; those that are counted come last.
var (
	facts   = []string{"date", "commit", "machine", "seeds", "took", "outcome"}
	counted = []string{"calls", "images", "faults", "kills", "mutants", "violations", "skipped"}
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

func (r row) String() string {
	cells := append([]string{}, r.facts...)
	for _, c := range counted {
		cells = append(cells, strconv.Itoa(r.counts[c]))
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// parseRow reads what String wrote.
func parseRow(line string) (row, bool) {
	cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
	if len(cells) != len(facts)+len(counted) {
		return row{}, false
	}
	r := row{counts: tally{}}
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		if i < len(facts) {
			r.facts = append(r.facts, cell)
			continue
		}
		n, err := strconv.Atoi(cell)
		if err != nil {
			return row{}, false
		}
		r.counts[counted[i-len(facts)]] = n
	}
	return r, r.facts[0] != "total"
}

const evidenceHead = `# What was run

Written by ` + "`make evidence`" + `, one row a run; the last row adds them up. A call is one call of a history that was searched for a linear order. An image is one distinct state that a loss of power could have left of a file; it was opened, checked, compared, gone on with and opened again. A fault is a kill inside a commit, or a write or sync that failed, each followed by images. A kill ends a process that writes from four goroutines. A mutant is a planted bug that the test named for it found. Violations are acknowledged writes lost, calls without an order, wrong answers, findings of a check, dead or hung processes, and mutants that survived.

Repeat a row: ` + "`go run ./release -seed N -for 1s -once`" + ` in test/ for each of its seeds.

`

// note adds the run to the file.
func note(path string, r row) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var b strings.Builder
	b.WriteString(evidenceHead)
	columns := append(append([]string{}, facts...), counted...)
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	total := row{[]string{"total", "", "", "", "", ""}, tally{}}
	rows := []row{}
	for line := range strings.Lines(string(old)) {
		if r, ok := parseRow(line); ok {
			rows = append(rows, r)
		}
	}
	for _, r := range append(rows, r) {
		fmt.Fprintln(&b, r)
		for column, n := range r.counts {
			total.counts[column] += n
		}
	}
	fmt.Fprintln(&b, total)
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
