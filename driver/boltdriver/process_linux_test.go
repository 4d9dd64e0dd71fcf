package boltdriver

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

func init() { roles["limit"] = roleLimit }

// roleLimit opens the file with little address space left.
func roleLimit(path, _ string) string {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err.Error()
	}
	var pages uint64
	if _, err := fmt.Sscan(string(b), &pages); err != nil {
		return err.Error()
	}
	const rlimitAS = 9
	limit := pages*uint64(os.Getpagesize()) + 4<<30
	if err := syscall.Setrlimit(rlimitAS, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err.Error()
	}
	d, err := Open(path, Options{})
	if err != nil {
		return verdict(err)
	}
	if d.file.BigMap {
		return "big map"
	}
	return verdict(d.Close())
}

// Where the process may not map much, the store opens with a small map.
func TestProcessShortOfAddressSpace(t *testing.T) {
	c := spawn(t, "limit", filled(t, 20), "")
	if got := c.line(); got != "ok" {
		t.Error(got)
	}
}
