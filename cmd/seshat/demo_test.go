package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Promise: the demo prints commands that work, installed or not.
func TestProgramName(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if got, want := programName(), "go run ./cmd/seshat"; got != want {
		t.Errorf("not installed: %q, want %q", got, want)
	}
	name := "seshat"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, want := programName(), "seshat"; got != want {
		t.Errorf("installed: %q, want %q", got, want)
	}
}
