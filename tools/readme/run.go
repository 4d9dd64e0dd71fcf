package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// maxRun bounds one command.
const maxRun = 10 * time.Minute

// runSteps runs the steps in a fresh clone, each from its page's directory.
func runSteps(repository string, steps []step) error {
	dir, err := os.MkdirTemp("", "readme")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	clone := filepath.Join(dir, "clone")
	if out, err := exec.Command("git", "clone", "--quiet", repository, clone).CombinedOutput(); err != nil {
		return fmt.Errorf("clone: %w: %s", err, out)
	}
	var errs []error
	for _, s := range steps {
		began := time.Now()
		if err := s.run(clone); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", s.page, s.text, err))
			continue
		}
		fmt.Printf("%6.1fs  %-10s  %s: %s\n", time.Since(began).Seconds(), firstWord(s.how), s.page, s.text)
	}
	out, err := exec.Command("git", "-C", clone, "status", "--porcelain").Output()
	if err != nil {
		return err
	}
	if len(out) > 0 {
		errs = append(errs, fmt.Errorf("the clone is changed:\n%s", out))
	}
	return errors.Join(errs...)
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// run runs one step in the clone.
func (s step) run(clone string) error {
	line := s.text
	duration, isFor := strings.CutPrefix(s.how, "for ")
	as, isAs := strings.CutPrefix(s.how, "as ")
	switch {
	case isAs:
		line = as
	case s.how != "run" && !isFor:
		return nil // somebody else runs it
	}
	limit := maxRun
	if isFor {
		d, err := time.ParseDuration(duration)
		if err != nil {
			return err
		}
		limit = d
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", line)
	cmd.Dir = filepath.Join(clone, filepath.Dir(s.page))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if isFor && ctx.Err() != nil {
		return nil // it ran until it was interrupted
	}
	if isFor && err == nil {
		return fmt.Errorf("it ended before %s were over:\n%s", limit, out)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
