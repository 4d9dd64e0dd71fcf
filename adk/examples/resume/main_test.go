package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain runs the program itself in the processes that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "talk" || os.Getenv("RESUME_EXAMPLE") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestExampleResumesAfterBeingKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agents.db")
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), "RESUME_EXAMPLE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	before, after, _ := strings.Cut(string(out), "-- another process goes on:")
	for _, want := range []string{
		"agent:  That is the 2. thing you said.",
		"user:  And a hotel.\n\"I want to go to Seattle.\" is active with 5 messages",
	} {
		if !strings.Contains(before, want) {
			t.Errorf("before it resumed: %q is not in\n%s", want, before)
		}
	}
	if want := "That is the 4. thing you said. The first was: I want to go to Seattle."; !strings.Contains(after,
		want) {
		t.Errorf("after it resumed: %q is not in\n%s", want, after)
	}
}
