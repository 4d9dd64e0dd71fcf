package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// disarm makes every verb do nothing but what its flags and arguments are
// checked with.
func disarm(c *cobra.Command, ran func(*cobra.Command)) {
	if c.RunE != nil {
		c.RunE = func(c *cobra.Command, _ []string) error {
			ran(c)
			return nil
		}
	}
	for _, sub := range c.Commands() {
		disarm(sub, ran)
	}
}

// tried runs a command line whose verb does nothing, as run does.
func (a *app) tried(args []string, ran func(*cobra.Command)) int {
	root := a.root()
	disarm(root, ran)
	root.SetArgs(args)
	err := root.Execute()
	if err != nil && !a.began {
		err = &usageError{err: err}
	}
	return a.report(root.Context(), err)
}

// FuzzArguments gives the program anything as its arguments, one a line.
// Promise: a verb runs, once, or help is shown, or it is a usage error, and
// then one that does not show the key.
func FuzzArguments(f *testing.F) {
	for _, s := range []string{
		"", "help", "list\n--db\nx", "create\n--db=x\n--label\na=b,c=\"d\n--ttl=never\n--temperature\nNaN",
		"key\ncreate\n--for=a,b\n--expires-in=-1h",
		"serve\n--db=x\n--sweep-every=0\n--max-body=0x10\n--request-timeout=1e9h", "--json\nappend\nid\n--",
		"list\n-n\n-n\n--timeout=3\n-h",
		"--key=sk_secret\nshow", "--key\nsk_secret\nno-verb", "completion\nbash", "__complete\nlist\n--",
		"namespace\nset\n--expiry=sliding\nx", "help\nexit-codes",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		var out, problem bytes.Buffer
		a := &app{streams: streams{in: strings.NewReader(""), out: &out, err: &problem}}
		runs := 0
		code := a.tried(strings.Split(lines, "\n"), func(*cobra.Command) { runs++ })
		switch {
		case code != exitOK && code != exitUsage, runs > 1:
			t.Fatalf("exit code %d, %d verbs: %s", code, runs, problem.String())
		case code == exitUsage && (runs > 0 || problem.Len() == 0):
			t.Fatalf("a usage error, %d verbs: %s", runs, problem.String())
		}
		if key := a.target.key; len(key) > 8 && strings.Count(lines, key) == 1 &&
			strings.Contains(problem.String(), key) {
			t.Errorf("the key is shown: %s", problem.String())
		}
	})
}

// FuzzEnvironment gives each flag that has a variable anything as its value.
// Promise: it means the same from the environment as on the command line, or
// is refused in both.
func FuzzEnvironment(f *testing.F) {
	for _, s := range []string{
		"a.db", "postgres://u@h/d", "unix:/run/s", "never", "1h", "-1h", "0", "true",
		"16777216", " 5", "0x10", "json", "\x00", "a,b", "--db",
	} {
		for which := range uint8(16) {
			f.Add(which, s)
		}
	}
	unset, err := readFlags("serve", nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	maps.DeleteFunc(unset, func(_ string, v flagValue) bool { return v.variable == "" })
	names := slices.Sorted(maps.Keys(unset))
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		if value == "" {
			return // a variable without a value is not set
		}
		name := names[int(which)%len(names)]
		given, errGiven := readFlags("serve", []string{"--" + name + "=" + value}, nil)
		found, errFound := readFlags("serve", nil, map[string]string{unset[name].variable: value})
		if (errGiven == nil) != (errFound == nil) || !maps.Equal(given, found) {
			t.Fatalf("--%s=%q: %v, %v; by the environment: %v, %v", name, value, given, errGiven, found, errFound)
		}
	})
}

// flagValue is what a flag says in the end.
type flagValue struct{ value, variable string }

// readFlags reads the flags of a verb, and the environment.
func readFlags(verb string, args []string, environment map[string]string) (map[string]flagValue, error) {
	c, _, err := (&app{}).root().Find([]string{verb})
	if err == nil {
		err = c.ParseFlags(args)
	}
	if err == nil {
		err = fromEnv(c.Flags(), func(name string) (string, bool) { v, ok := environment[name]; return v, ok })
	}
	if err != nil {
		return nil, err
	}
	all := map[string]flagValue{}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		v := flagValue{value: f.Value.String()}
		if names := f.Annotations[envVar]; len(names) > 0 {
			v.variable = names[0]
		}
		all[f.Name] = v
	})
	return all, nil
}

// FuzzKeyFile gives the program anything as the file of an API key. Promise:
// the key is its text without white space around it, as long as a header can
// hold it, or it is a usage error that does not show it.
func FuzzKeyFile(f *testing.F) {
	for _, s := range []string{
		"sk_1\n", "", " \t\r\n", "sk_1\nsk_2", "sk\x00", "\xef\xbb\xbfsk_1",
		strings.Repeat("k", maxKey), strings.Repeat("k", maxKey+1),
	} {
		f.Add([]byte(s))
	}
	path := filepath.Join(f.TempDir(), "key")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := (&target{keyFile: path}).secret()
		text := strings.TrimSpace(string(content))
		switch {
		case err != nil:
			if !errors.Is(err, errUsage) || len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Fatalf("got %v", err)
			}
		case key != text || !header(key):
			t.Fatalf("got %q", key)
		}
	})
}

// FuzzTurn gives append anything as its input. Promise: it is a turn, of which
// the JSON is read as the same turn, or a usage error.
func FuzzTurn(f *testing.F) {
	for _, s := range []string{
		"", "[]", `[{"role":"user","content":"a"}]`,
		`{"role":"tool","tool_outputs":{"a" : 1}} {"role":"assistant","latency_ms":5}`,
		`{"message_id":"x","metadata":{"a":[1.0,null]},"timestamp":"2001-02-03T04:05:06Z"}` + "\n\n{", `[1]`, `null`,
		`{"latency_ms":9e18}`, `[{"role":"nobody"}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		turn, err := readTurn(bytes.NewReader(in))
		if err != nil {
			if !errors.Is(err, errUsage) {
				t.Fatal(err)
			}
			return
		}
		if len(turn) == 0 {
			return
		}
		written, err := json.Marshal(turn)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readTurn(bytes.NewReader(written))
		if err != nil || len(again) != len(turn) {
			t.Fatalf("%s: read as %d messages, error %v", written, len(again), err)
		}
		if once, err := json.Marshal(again); err != nil || !bytes.Equal(once, written) {
			t.Fatalf("%s became %s, %v", written, once, err)
		}
	})
}

// header reports whether a request can have the value in a header.
func header(value string) bool {
	return strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}
