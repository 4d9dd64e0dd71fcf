package driver_test

import (
	"sync"
	"testing"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// Commits of many goroutines are summed up, and the largest are kept.
func TestCommitCounter(t *testing.T) {
	var c driver.CommitCounter
	if c.Stats() != (driver.Stats{}) {
		t.Error("the zero value has counted something")
	}
	var wg sync.WaitGroup
	for i := 1; i <= 4; i++ {
		wg.Go(func() { c.Add(i, time.Duration(i)*time.Second, 10, 2) })
	}
	wg.Wait()
	want := driver.Stats{
		Commits: 4, Ops: 10, MaxOps: 4,
		CommitTime: 10 * time.Second, MaxCommit: 4 * time.Second,
		BytesWritten: 40, PagesWritten: 8,
	}
	if got := c.Stats(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
