package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const page = "Run `go vet ./x` or `x := 1`.\n" +
	"```sh\nmake a  # comment\ncurl -s \\\n  -d x\n```\n" +
	"```console\n$ seshat list\nses_1\n```\n" +
	"```\ngo run ./y\noutput\n```\n" +
	"```go\ngo f()\n```\n"

func TestCommandsAreFoundWhereAPageShowsThem(t *testing.T) {
	got := commandsOf(page)
	want := []string{"go vet ./x", "make a", "curl -s -d x", "seshat list", "go run ./y"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestEveryCommandHasARuleAndEveryRuleACommand(t *testing.T) {
	commands := []command{{"a/README.md", "make x"}, {"README.md", "go run ./y -z"}}
	fits := func(page, pattern string) *rule { return &rule{page: page, pattern: pattern, how: "run"} }
	for _, tt := range []struct {
		name  string
		rules []*rule
		want  string // in the error; "" = none
	}{
		{"exact and prefix", []*rule{fits("a/README.md", "make x"), fits("README.md", "go run *")}, ""},
		{"any page", []*rule{fits("*", "make x"), fits("*", "go run *")}, ""},
		{"no rule", []*rule{fits("*", "go run *")}, "no rule for"},
		{"no command", []*rule{fits("*", "make x"), fits("*", "go run *"), fits("*", "npm i")}, "no page has"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := plan(commands, tt.rules)
			if got := errText(err); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("error %q, want one with %q", got, tt.want)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestFailuresAndLeftoversOfCommandsAreErrors(t *testing.T) {
	repository := t.TempDir()
	for _, args := range [][]string{
		{"init", "-q"},
		{"-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "begin"},
	} {
		if out, err := exec.Command("git", append([]string{"-C", repository},
			args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, tt := range []struct{ command, how, want string }{
		{"true", "run", ""},
		{"false", "run", "exit status 1"},
		{"false", "as true", ""},
		{"false", "test TestX", ""},
		{"sleep 60", "for 100ms", ""},
		{"true", "for 1m", "it ended before"},
		{"echo x >left", "run", "the clone is changed"},
	} {
		t.Run(tt.command+" "+tt.how, func(t *testing.T) {
			err := runSteps(repository, []step{{command{"README.md", tt.command}, tt.how}})
			if got := errText(err); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("error %q, want one with %q", got, tt.want)
			}
		})
	}
}

func TestRulesAreRefusedIfTheyCannotBeFollowed(t *testing.T) {
	for text, ok := range map[string]bool{
		"# a comment\n\nREADME.md | make test | stage test\n": true,
		"README.md | make test\n":                             false,
		"README.md | make test | perhaps\n":                   false,
		"README.md | make test | for \n":                      false,
	} {
		name := filepath.Join(t.TempDir(), "rules")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readRules(name); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
