package crash

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// errNoStrace: this machine cannot record what a process writes.
var errNoStrace = errors.New("strace is missing or may not trace here")

// capture is a process that writes a store, and what it did to the file.
type capture struct {
	events []event
	said   string // on its standard error
}

// record runs the program under strace. inject is a fault, in strace's words,
// or "". That the program fails is no error: it may have been told to.
func record(cmd *exec.Cmd, dir, inject string) (capture, error) {
	out := filepath.Join(dir, "strace.out")
	args := []string{
		"strace", "-f", "-y", "-xx", "-s", "16777216", "-e", "signal=none",
		"-e", "trace=pwrite64,write,fdatasync,fsync,ftruncate,linkat", "-o", out,
	}
	if inject != "" {
		args = append(args, "-e", "inject="+inject)
	}
	if !strings.Contains(inject, "signal") { // with which such a signal does not arrive
		args = append(args, "--seccomp-bpf")
	}
	path, err := exec.LookPath("strace")
	if err != nil {
		return capture{}, fmt.Errorf("%w: %w", errNoStrace, err)
	}
	cmd.Args, cmd.Path = append(append(args, cmd.Path), cmd.Args[1:]...), path
	var said bytes.Buffer
	cmd.Stderr = &said
	runErr := cmd.Run()
	f, err := os.Open(out)
	if err != nil {
		return capture{}, fmt.Errorf("%w: %w: %s", errNoStrace, errors.Join(runErr, err), said.String())
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() == 0 {
		return capture{}, fmt.Errorf("%w: nothing recorded: %w: %s", errNoStrace, errors.Join(runErr, err), said.String())
	}
	events, err := parse(f)
	return capture{events, said.String()}, err
}

var (
	lineWrite  = regexp.MustCompile(`^pwrite64\(\d+<([^>]*)>, "((?:\\x[0-9a-f]{2})*)", \d+, (\d+)`)
	lineTrunc  = regexp.MustCompile(`^ftruncate\(\d+<([^>]*)>, (\d+)`)
	lineSync   = regexp.MustCompile(`^f(?:data)?sync\(\d+<([^>]*)>`)
	lineLink   = regexp.MustCompile(`^linkat\(`)
	lineSay    = regexp.MustCompile(`^write\(1<[^>]*>, "((?:\\x[0-9a-f]{2})*)"`)
	lineResume = regexp.MustCompile(`^<\.\.\. (\w+) resumed>`)
)

// recorder turns lines of strace into events. A write may reach the disk from
// when it begins; a sync counts when it has returned 0.
type recorder struct {
	events  []event
	syncing map[string]event // by thread
	linking map[string]bool
}

func parse(f *os.File) ([]event, error) {
	r := recorder{syncing: map[string]event{}, linking: map[string]bool{}}
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 1<<20), 1<<28)
	for lines.Scan() {
		thread, call, _ := strings.Cut(lines.Text(), " ")
		if err := r.line(thread, strings.TrimLeft(call, " ")); err != nil {
			return nil, err
		}
	}
	return r.events, lines.Err()
}

func (r *recorder) line(thread, call string) error {
	done := strings.HasSuffix(call, " = 0")
	failing := strings.Contains(call, " = -1 ") || strings.HasSuffix(call, " = ?") // killed before it began
	switch {
	case lineResume.MatchString(call):
		if e, ok := r.syncing[thread]; ok && done {
			r.events = append(r.events, e)
		}
		if r.linking[thread] && done {
			r.events = append(r.events, event{kind: linked})
		}
		delete(r.syncing, thread)
		delete(r.linking, thread)
	case lineWrite.MatchString(call):
		return r.write(lineWrite.FindStringSubmatch(call), failing)
	case lineTrunc.MatchString(call):
		m := lineTrunc.FindStringSubmatch(call)
		n, err := strconv.Atoi(m[2])
		if isStore(m[1]) && !failing {
			r.events = append(r.events, event{kind: resized, n: n})
		}
		return err
	case lineSync.MatchString(call):
		r.sync(thread, call, done)
	case lineLink.MatchString(call):
		if done {
			r.events = append(r.events, event{kind: linked})
		}
		r.linking[thread] = !done && strings.Contains(call, "unfinished")
	case lineSay.MatchString(call):
		r.say(string(unhex(lineSay.FindStringSubmatch(call)[1])))
	}
	return nil
}

func (r *recorder) write(m []string, failing bool) error {
	off, err := strconv.ParseInt(m[3], 10, 64)
	if isStore(m[1]) && !failing {
		r.events = append(r.events, event{kind: wrote, off: off, data: unhex(m[2])})
	}
	return err
}

func (r *recorder) sync(thread, call string, done bool) {
	path := lineSync.FindStringSubmatch(call)[1]
	e := event{kind: synced}
	if !isStore(path) {
		e.kind = dirSynced
	}
	if done {
		r.events = append(r.events, e)
	} else if strings.Contains(call, "unfinished") {
		r.syncing[thread] = e
	}
}

// say takes what the writer says: "A step", or "E step text".
func (r *recorder) say(line string) {
	var word string
	e := event{kind: acked}
	n, _ := fmt.Sscan(line, &word, &e.n, &e.text)
	switch {
	case word == "E" && n == 3:
		e.kind = failed
	case word != "A" || n != 2:
		return
	}
	r.events = append(r.events, e)
}

// isStore reports whether the path is the store's file, also while it is made
// under a temporary name.
func isStore(path string) bool {
	return strings.Contains(filepath.Base(string(unhex(path))), storeName)
}

func unhex(s string) []byte {
	if !strings.HasPrefix(s, `\x`) {
		return []byte(s)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return nil
	}
	return b
}
