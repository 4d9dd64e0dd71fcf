package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// curlLine is a command in the README, and what it gives.
var curlLine = regexp.MustCompile("(?s)```sh\n(curl .*?)```\n+```json\n(.*?)```")

// readmeCurls runs the README's commands as they are written, and compares
// what they give:
//
//	curls README
func readmeCurls(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: curls README")
	}
	lines := curlLine.FindAllStringSubmatch(ts.ReadFile(args[0]), -1)
	if len(lines) < 12 {
		ts.Fatalf("found %d commands", len(lines))
	}
	for _, l := range lines {
		cmd := exec.Command("sh", "-c", l[1])
		cmd.Env = append(os.Environ(), "SESHAT_URL="+ts.Getenv("SESHAT_URL"), "SESHAT_KEY="+ts.Getenv("SESHAT_KEY"))
		out, err := cmd.Output()
		if err != nil {
			ts.Fatalf("%s\n%v", l[1], err)
		}
		var got, want any
		ts.Check(json.Unmarshal([]byte(l[2]), &want))
		if err := json.Unmarshal(out, &got); err != nil || !fits(got, want) {
			ts.Fatalf("%s\ngives\n%s\nnot\n%s", l[1], out, l[2])
		}
	}
}

const anything = "…"

// fits reports whether got is want, where "…" is anything, and as a member's
// name any others.
func fits(got, want any) bool {
	switch want := want.(type) {
	case string:
		return want == anything || got == any(want)
	case map[string]any:
		g, ok := got.(map[string]any)
		return ok && memberFits(g, want)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			return false
		}
		for i := range want {
			if !fits(g[i], want[i]) {
				return false
			}
		}
		return true
	}
	return got == want
}

func memberFits(got, want map[string]any) bool {
	_, more := want[anything]
	if !more && len(got) != len(want) {
		return false
	}
	for name, w := range want {
		if g, ok := got[name]; name != anything && !(ok && fits(g, w)) {
			return false
		}
	}
	return true
}

// Promise: the comparison of the README's answers finds what is different.
func TestFitsTellsAnswersApart(t *testing.T) {
	for _, c := range []struct {
		got, want string
		fits      bool
	}{
		{`{"a":1,"b":[true,null]}`, `{"a":1,"b":[true,null]}`, true},
		{`{"a":1}`, `{"a":"…"}`, true},
		{`{"a":1,"b":2}`, `{"a":1,"…":"…"}`, true},
		{`{"a":1,"b":2}`, `{"a":1}`, false},
		{`{"a":1}`, `{"b":"…"}`, false},
		{`{"a":1}`, `{"a":2}`, false},
		{`{"a":null}`, `{"a":"x"}`, false},
		{`[1]`, `[1,2]`, false},
		{`"x"`, `{"a":1}`, false},
	} {
		var got, want any
		if json.Unmarshal([]byte(c.got), &got) != nil || json.Unmarshal([]byte(c.want), &want) != nil {
			t.Fatalf("%s or %s is no JSON", c.got, c.want)
		}
		if fits(got, want) != c.fits {
			t.Errorf("fits(%s, %s) = %v", c.got, c.want, !c.fits)
		}
	}
}
