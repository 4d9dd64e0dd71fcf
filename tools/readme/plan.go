package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// rule says how the commands of a page that match a pattern are run.
type rule struct {
	page    string // a pattern of path.Match; * is every page
	pattern string // the command's beginning if it ends with *, else all of it
	how     string
	used    bool
}

// readRules reads lines of the form "page | command | how"; lines that begin
// with # are comments. How is one of:
//
//	run              the command as it stands
//	for 20s          the command, interrupted after that time, not before
//	as COMMAND       that command instead: a smaller form of the same
//	stage NAME       nothing: the CI stage of that name runs it
//	test NAME        nothing: the test of that name runs it
//	not: REASON      nothing, for a reason that holds on every machine
func readRules(name string) ([]*rule, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var rules []*rule
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.SplitN(line, " | ", 3)
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s: %q is not \"page | command | how\"", name, line)
		}
		r := &rule{
			page: strings.TrimSpace(fields[0]), pattern: strings.TrimSpace(fields[1]),
			how: strings.TrimSpace(fields[2]),
		}
		if !knownHow(r.how) {
			return nil, fmt.Errorf("%s: %q is no way to run a command", name, r.how)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func knownHow(how string) bool {
	if how == "run" {
		return true
	}
	for _, prefix := range []string{"for ", "as ", "stage ", "test ", "not: "} {
		if rest, ok := strings.CutPrefix(how, prefix); ok && rest != "" {
			return true
		}
	}
	return false
}

// step is a command and how it is run.
type step struct {
	command
	how string
}

// plan gives each command the first rule that fits it. A command without a rule
// and a rule without a command are errors, so that the file and the pages
// agree.
func plan(commands []command, rules []*rule) ([]step, error) {
	var steps []step
	var errs []error
	for _, c := range commands {
		r := ruleFor(c, rules)
		if r == nil {
			errs = append(errs, fmt.Errorf("%s: no rule for %q", c.page, c.text))
			continue
		}
		r.used = true
		steps = append(steps, step{c, r.how})
	}
	for _, r := range rules {
		if !r.used {
			errs = append(errs, fmt.Errorf("no page has a command for the rule %q of %s", r.pattern, r.page))
		}
	}
	return steps, errors.Join(errs...)
}

// checkReferences reports the rules that name a test or a stage that is gone.
func checkReferences(repository string, rules []*rule) error {
	var errs []error
	for _, r := range rules {
		if test, ok := strings.CutPrefix(r.how, "test "); ok {
			if exec.Command("git", "-C", repository, "grep", "-q", "^func "+test+"(").Run() != nil {
				errs = append(errs, fmt.Errorf("rule %q of %s: there is no test %s", r.pattern, r.page, test))
			}
		}
		if stage, ok := strings.CutPrefix(r.how, "stage "); ok {
			if _, err := os.Stat(filepath.Join(repository, ".ci", "stages", stage+".sh")); err != nil {
				errs = append(errs, fmt.Errorf("rule %q of %s: there is no stage %s", r.pattern, r.page, stage))
			}
		}
	}
	return errors.Join(errs...)
}

func ruleFor(c command, rules []*rule) *rule {
	for _, r := range rules {
		onPage, _ := path.Match(r.page, c.page)
		prefix, isPrefix := strings.CutSuffix(r.pattern, "*")
		if (onPage || r.page == "*") && (r.pattern == c.text || isPrefix && strings.HasPrefix(c.text, prefix)) {
			return r
		}
	}
	return nil
}
