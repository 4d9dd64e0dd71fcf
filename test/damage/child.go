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

// Child runs the trials that the environment asks for, and reports whether it
// asks for any.
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

// line is an outcome as a child writes it.
type line struct {
	Refused bool
	Counts  [wrong + 1]int
	Bad     string
	Example string
	Found   bool
}

// hang is how long one trial may take.
const hang = time.Minute

// runTrials makes the trials from seed on, in children that work below dir, and
// calls each with what came of it.
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

// batch runs one child, and returns how many trials it made, and how it ended.
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
			continue // what a dying process prints is no outcome
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

// save writes the fixture for the children, who read it with readFixture.
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
	Want  map[string][]byte // JSON's text would not keep every byte
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
