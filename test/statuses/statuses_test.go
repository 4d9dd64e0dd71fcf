// Package statuses adds a status to the table of package rules, in an overlay
// for the go command. The store must treat the new status like all others, and
// tests must name each handwritten text that lacks it.
package statuses

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// base is the path of the repository's root.
const base = "../.."

// added are the changes to the table that add the status "paused".
var added = [][2]string{
	{
		"true, []Status{Idle, Archived, Terminated}},\n",
		"true, []Status{Idle, Archived, Terminated, Terminated + 1}},\n",
	},
	{
		"\t{Terminated, \"terminated\", false, nil},\n",
		"\t{Terminated, \"terminated\", false, nil},\n" +
			"\t{Terminated + 1, \"paused\", false, []Status{Active, Terminated}},\n",
	},
}

// overlay creates the overlay that adds the status, and returns its path.
func overlay(t *testing.T) string {
	t.Helper()
	table, err := filepath.Abs(filepath.Join(base, "internal", "rules", "status.go"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for _, change := range added {
		if n := strings.Count(text, change[0]); n != 1 {
			t.Fatalf("status.go holds %q %d times, want once", change[0], n)
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "status.go")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{table: changed}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, replace, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs the go command in a directory of the repository.
func run(dir string, args ...string) (string, error) {
	c := exec.Command("go", args...)
	c.Dir = filepath.Join(base, dir)
	out, err := c.CombinedOutput()
	return string(out), err
}

// Promise: without any other change, the store creates, moves, refuses, lists,
// counts and bounds sessions of an added status like those of other statuses.
func TestAnAddedStatusIsTreatedAsOthers(t *testing.T) {
	out, err := run("", "test", "-v", "-count=1", "-vet=off", "-overlay="+overlay(t),
		"-run=^TestStoreIn(Memory|File)$/^statuses$", ".")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{
		"--- PASS: TestStoreInMemory/statuses/each_status_is_counted_and_listed/paused",
		"--- PASS: TestStoreInFile/statuses/each_status_fills_a_quota/paused",
		"--- PASS: TestStoreInFile/statuses/each_status_allows_what_the_table_says/paused",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the tests did not say %q:\n%s", want, out)
		}
	}
}

// Promise: tests name every document that does not mention the added status.
func TestAnAddedStatusMustBeDocumented(t *testing.T) {
	path := overlay(t)
	for dir, want := range map[string][]string{
		"": {
			"status.go has no constant of status paused", "the table in status.go has no row of paused",
		},
		"sessionhttp": {"openapi.json: a list of statuses lacks paused"},
		"postgres":    {"does not say \"when 5 then 'paused'\"", `does not say "sum(s5)::bigint as paused"`},
	} {
		out, err := run(dir, "test", "-count=1", "-vet=off", "-overlay="+path,
			"-run=^Test(StatusesAreDocumented|ViewsNameEachStatus)$", ".")
		if err == nil {
			t.Errorf("%q: the tests passed", dir)
		}
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%q: the tests did not say %q:\n%s", dir, text, out)
			}
		}
	}
}

// Promise: the command's help lists an added status without any other change.
func TestAnAddedStatusIsInTheHelp(t *testing.T) {
	out, err := run("cmd/seshat", "run", "-overlay="+overlay(t), ".", "list", "--help")
	if err != nil || !strings.Contains(out, "terminated or paused") {
		t.Errorf("%v: %s", err, out)
	}
}
