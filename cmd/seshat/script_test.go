package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"seshat": func() { os.Exit(execute()) }})
}

// Promise: each script in testdata/script does what it says, against the real
// program in processes of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               quiet,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":       exits,
			"server":      startServer,
			"json":        compareJSON,
			"setenv":      setFromOutput,
			"curls":       readmeCurls,
			"damage":      damage,
			"certificate": certificate,
			"database":    ownDatabase,
		},
	})
}

// quiet keeps the environment of whoever runs the tests out of the scripts.
func quiet(e *testscript.Env) error {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "SESHAT_") {
			e.Setenv(name, "")
		}
	}
	e.Setenv("GORACE", "atexit_sleep_ms=0") // else each process rests a second before it ends
	readme, err := filepath.Abs("README.md")
	e.Setenv("README", readme)
	e.Values[runningKey{}] = map[string]*running{}
	e.Setenv("NO_COLOR", "")
	e.Setenv("no_proxy", "*")
	e.Setenv("NO_PROXY", "*")
	return err
}

// exits runs a command and compares its exit code: exits CODE seshat ARG...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command [arg...]")
	}
	code := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.String()[len("exit status "):]
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

// startServer runs a command in the background until the script ends, and
// waits for its first line. Output goes to NAME.stdout and NAME.stderr:
// server NAME command [arg...]
//
// With -wait the script waits for its end; with -stop or -term it sends it
// SIGINT or SIGTERM before. It has to exit with 0, or with ! with another code.
func startServer(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: server NAME command [arg...], or [!] server -stop|-term|-wait NAME")
	}
	signals := map[string]os.Signal{"-stop": os.Interrupt, "-term": syscall.SIGTERM, "-wait": nil}
	if sig, ok := signals[args[0]]; ok {
		endServer(ts, neg, args[1], sig)
		return
	}
	r := &running{exited: make(chan struct{})}
	if err := r.start(ts, args[0], args[1:]); neg || err != nil {
		ts.Fatalf("%v", err)
	}
}

func endServer(ts *testscript.TestScript, neg bool, name string, sig os.Signal) {
	r := commands(ts)[name]
	if r == nil {
		ts.Fatalf("%s does not run", name)
	}
	if sig != nil {
		ts.Check(r.cmd.Process.Signal(sig))
	}
	if err := r.wait(); (err != nil) != neg {
		ts.Fatalf("%s ended with: %v", name, err)
	}
}

// runningKey is where a script has its commands in the background.
type runningKey struct{}

func commands(ts *testscript.TestScript) map[string]*running {
	return ts.Value(runningKey{}).(map[string]*running)
}

// running is a command in the background.
type running struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // how it ended, once exited is closed
}

func (r *running) start(ts *testscript.TestScript, name string, args []string) error {
	r.cmd = exec.Command(args[0], args[1:]...)
	r.cmd.Dir = ts.MkAbs(".")
	r.cmd.Env = scriptEnv(ts)
	logs, err := os.Create(ts.MkAbs(name + ".stderr"))
	if err != nil {
		return err
	}
	r.cmd.Stderr = logs
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := r.cmd.Start(); err != nil {
		return err
	}
	ts.Defer(func() {
		_ = r.cmd.Process.Kill()
		_ = r.wait()
	})
	commands(ts)[name] = r
	first := make(chan error, 1)
	go r.copy(out, ts.MkAbs(name+".stdout"), first)
	select {
	case err := <-first:
		return err
	case <-time.After(time.Minute):
		return os.ErrDeadlineExceeded
	}
}

// copy writes the output to a file, says when the first line is there, and
// collects the command when it ends.
func (r *running) copy(out io.Reader, path string, first chan<- error) {
	defer close(r.exited)
	f, err := os.Create(path)
	if err == nil {
		defer f.Close()
		lines := bufio.NewReader(out)
		var line string
		line, _ = lines.ReadString('\n')
		rest, _ := lines.Peek(lines.Buffered()) // what was printed together with it
		_, err = f.WriteString(line + string(rest))
		_, _ = lines.Discard(len(rest))
		first <- err
		_, _ = io.Copy(f, lines)
	} else {
		first <- err
	}
	r.err = r.cmd.Wait()
}

func (r *running) wait() error {
	<-r.exited
	return r.err
}

// scriptEnv is the environment of the script's commands.
func scriptEnv(ts *testscript.TestScript) []string {
	env := os.Environ()
	for _, name := range []string{
		"HOME", "PATH", "GORACE", "SESHAT_DB", "SESHAT_STORE", "SESHAT_URL", "SESHAT_KEY",
		"SESHAT_NAMESPACE",
	} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// setFromOutput sets a variable to what a member of the JSON object in a file
// says: setenv NAME FILE MEMBER
func setFromOutput(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: setenv NAME FILE MEMBER")
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[1])), &object); err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	v, ok := object[args[2]].(string)
	if !ok {
		ts.Fatalf("%s has no text %q", args[1], args[2])
	}
	ts.Setenv(args[0], v)
}

// variable matches what differs from run to run in JSON: times, ids, sizes.
var variable = regexp.MustCompile(
	`"\d{4}-\d\d-\d\dT[0-9:.]+Z"|"(ses|ns|msg)_[0-9A-HJKMNP-TV-Z]{26}"|"(sk|idem)_\w+"|` +
		`"[0-9A-HJKMNP-TV-Z]{26}"|"[0-9a-f]{32}"`)

// compareJSON compares the JSON in a file with what is wanted, of which times
// and made ids are "…":
//
//	json FILE WANT
func compareJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: json FILE WANT")
	}
	got, want := indented(ts, args[0]), indented(ts, args[1])
	if got != want {
		ts.Fatalf("%s is\n%s\nwant\n%s", args[0], got, want)
	}
}

func indented(ts *testscript.TestScript, name string) string {
	text := variable.ReplaceAllString(ts.ReadFile(name), `"…"`)
	var out strings.Builder
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for {
		var v any
		if err := d.Decode(&v); err == io.EOF {
			return out.String()
		} else if err != nil {
			ts.Fatalf("%s: %v in\n%s", name, err, text)
		}
		b, err := json.MarshalIndent(v, "", "  ")
		ts.Check(err)
		out.Write(append(b, '\n'))
	}
}

// damage overwrites a part of a file: damage FILE TEXT finds the text's first
// copies and changes them.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage FILE TEXT")
	}
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	changed := strings.ReplaceAll(string(b), args[1], strings.Repeat("#", len(args[1])))
	if changed == string(b) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, []byte(changed), 0o600))
}
