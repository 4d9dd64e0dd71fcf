package damage

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// envChild makes the program a child that runs trials: "DIR FROM TO".
const envChild = "SESHAT_DAMAGE_CHILD"

// Child runs the trials in the environment, if any, and reports whether there
// were any.
func Child() bool {
	var dir string
	var from, to uint64
	if n, _ := fmt.Sscan(os.Getenv(envChild), &dir, &from, &to); n != 3 {
		return false
	}
	f, err := readFixture(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return true
	}
	for seed := from; seed < to; seed++ {
		o := trialOf(seed).run(context.Background(), f, filepath.Join(dir, "trial.db"))
		text, err := json.Marshal(line{o.refused, o.counts, o.bad, o.example, o.found})
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Printf("=%s\n", text)
	}
	return true
}

// line is the form in which a child writes an outcome.
type line struct {
	Refused bool
	Counts  [wrong + 1]int
	Bad     string
	Example string
	Found   bool
}

// hang is the time limit of one trial.
const hang = time.Minute

// runTrials runs the trials with these seeds in children that work below dir,
// and calls each with every outcome.
func runTrials(dir string, from, to uint64, each func(trial, outcome)) error {
	for from < to {
		n, died, err := batch(dir, from, to, each)
		if err != nil {
			return err
		}
		from += n
		if from < to {
			each(trialOf(from), outcome{bad: died, died: true})
			from++
		}
	}
	return nil
}

// batch runs one child. It returns the number of trials that the child made,
// and how it died.
func batch(dir string, from, to uint64, each func(trial, outcome)) (n uint64, died string, err error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, "", err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", envChild, dir, from, to))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, "", err
	}
	if err := cmd.Start(); err != nil {
		return 0, "", err
	}
	timer := time.AfterFunc(hang, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		timer.Reset(hang)
		text, ok := strings.CutPrefix(lines.Text(), "=")
		var l line
		if err := json.Unmarshal([]byte(text), &l); !ok || err != nil {
			continue // output of a dying process
		}
		each(trialOf(from+n),
			outcome{refused: l.Refused, counts: l.Counts, bad: l.Bad, example: l.Example, found: l.Found})
		n++
	}
	hung := !timer.Stop()
	err = cmd.Wait()
	if from+n < to && n == 0 && err == nil {
		return 0, "", fmt.Errorf("the child made no trial: %s", stderr.String())
	}
	if hung {
		return n, "the process hangs", nil
	}
	return n, fmt.Sprintf("the process died: %v: %.2000s", err, stderr.String()), nil
}

// save writes the fixture for readFixture in the children.
func (f *fixture) save(dir string) error {
	want := map[string][]byte{}
	for name, text := range f.want {
		want[name] = []byte(text)
	}
	text, err := json.Marshal(savedFixture{f.image, f.older, want})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, fixtureName), text, 0o600)
}

const fixtureName = "fixture.json"

type savedFixture struct {
	Image []byte
	Older [][]byte
	Want  map[string][]byte // a string of JSON cannot hold every byte
}

func readFixture(dir string) (*fixture, error) {
	text, err := os.ReadFile(filepath.Join(dir, fixtureName))
	if err != nil {
		return nil, err
	}
	var s savedFixture
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	f := &fixture{s.Image, s.Older, map[string]string{}}
	for name, text := range s.Want {
		f.want[name] = string(text)
	}
	return f, nil
}
