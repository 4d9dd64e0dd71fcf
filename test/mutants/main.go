// Command mutants plants bugs in the product, one at a time, and runs the test
// that must find each bug. It does not change files: the go command gets
// overlays.
//
//	mutants [-quick] [-run text] [-list]
//
// It prints one line per bug. It exits with status 1 if a bug survived or no
// longer fits the code.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// limit is the time limit of one test, because some bugs make a test hang.
const limit = 100 * time.Second

func main() {
	quick := flag.Bool("quick", false, "only the few that make test-push runs")
	run := flag.String("run", "", "only those whose name holds this text")
	list := flag.Bool("list", false, "only print the table of them, which is MUTANTS.md")
	flag.Parse()
	if *list {
		fmt.Print(table())
		return
	}
	survived := 0
	for _, m := range mutants {
		if *quick && !m.quick || !strings.Contains(m.name, *run) {
			continue
		}
		began := time.Now()
		outcome := "killed"
		if err := m.kill(); err != nil {
			outcome = "NOT TRIED: " + err.Error()
			if errors.Is(err, errPassed) {
				outcome = "SURVIVED: " + err.Error()
			}
			survived++
		}
		fmt.Printf("%-60s %s (%.0f s)\n", m.name, outcome, time.Since(began).Seconds())
	}
	if survived > 0 {
		os.Exit(1)
	}
}

// table returns a table of the bugs and the tests that find them.
func table() string {
	var rows strings.Builder
	rows.WriteString("# Planted bugs\n\nWritten by `go run ./mutants -list`. `go run ./mutants` plants each " +
		"and runs the test that has to find it.\n\n")
	rows.WriteString("| promise or defence | planted bug | in | found by |\n|---|---|---|---|\n")
	for _, m := range mutants {
		where := m.dir
		if where == root {
			where = "the root package"
		}
		fmt.Fprintf(&rows, "| %s | %s | %s | `%s` of %s |\n", m.promise, m.name, m.file,
			strings.ReplaceAll(m.test, "|", "\\|"), where)
	}
	return rows.String()
}

var (
	errPassed = errors.New("the test passes")
	errBuild  = errors.New("it does not build")
)

// kill returns nil if the test fails because of the bug.
func (m mutant) kill() error {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(dir)
	if err != nil {
		return err
	}
	where := filepath.Join(base, m.dir)
	args := append([]string{
		"test", "-count=1", "-vet=off", "-timeout=" + limit.String(), "-overlay=" + overlay,
		"-run=" + m.test, ".",
	}, m.flags...)
	out, err := command(where, args...).CombinedOutput()
	switch {
	case err == nil:
		return errPassed
	case strings.Contains(string(out), "[build failed]"):
		return fmt.Errorf("%w: %s", errBuild, out)
	case !strings.Contains(string(out), "FAIL"):
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// base is the path of the repository's root.
const base = ".."

// overlay writes the changed file and the overlay that puts it in place.
func (m mutant) overlay(dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(base, m.file))
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), m.from); n != 1 {
		return "", fmt.Errorf("%s holds what is to be changed %d times, want once", m.file, n)
	}
	changed := filepath.Join(dir, filepath.Base(m.file))
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.from, m.to, 1)), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

func command(dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), "go", args...)
	cmd.Dir = dir
	return cmd
}
