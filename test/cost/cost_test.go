//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
)

const sessions = 300

// TestMain removes the store that the benchmarks shared.
func TestMain(m *testing.M) {
	code := m.Run()
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

var shared struct {
	dir string
	t   *seshat.Tenant
}

// filled opens a store whose sessions have one kilobyte and a log each.
func filled(tb testing.TB) *seshat.Tenant {
	tb.Helper()
	if shared.t != nil {
		return shared.t
	}
	dir, err := os.MkdirTemp("", "cost-")
	if err != nil {
		tb.Fatal(err)
	}
	shared.dir = dir
	s, err := seshat.Open(filepath.Join(dir, "seshat.db"), seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		tb.Fatal(err)
	}
	t, err := s.EnsureTenant(context.Background(), seshat.Namespace{Name: "t"})
	if err != nil {
		tb.Fatal(err)
	}
	shared.t = t
	done, ids := make(chan error), make(chan int)
	for range 64 {
		go func() {
			var err error
			for n := range ids {
				if err == nil {
					err = fill(t, n)
				}
			}
			done <- err
		}()
	}
	for n := range sessions {
		ids <- n
	}
	close(ids)
	for range 64 {
		if err := <-done; err != nil {
			tb.Fatal(err)
		}
	}
	return t
}

func id(n int) string { return fmt.Sprint("session ", n) }

func message() seshat.Message {
	return seshat.Message{Role: seshat.RoleUser, Content: strings.Repeat("said ", 100)}
}

func fill(t *seshat.Tenant, n int) error {
	_, err := t.Create(context.Background(),
		seshat.NewSession{ID: id(n), UserID: "u", UserMemory: map[string]any{"note": strings.Repeat("m", 800)}})
	if err == nil {
		_, err = t.Append(context.Background(), id(n), slices.Repeat([]seshat.Message{message()}, 8)...)
	}
	return err
}

// timed reports the tenth percentile and the median of a call's duration. Fast
// calls are timed in batches.
func timed(b *testing.B, batch int, call func(id string) error) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		for range batch {
			if err := call(id(r.IntN(sessions))); err != nil {
				b.Fatal(err)
			}
		}
		took = append(took, time.Since(begun)/time.Duration(batch))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/10].Nanoseconds()), "p10-ns")
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
}

func BenchmarkGet(b *testing.B) {
	t := filled(b)
	timed(b, 100, func(id string) error { _, err := t.Get(context.Background(), id); return err })
}

func BenchmarkHistory(b *testing.B) {
	t := filled(b)
	timed(b, 100, func(id string) error {
		_, err := t.History(context.Background(), id, seshat.HistoryQuery{Limit: 8})
		return err
	})
}

func BenchmarkDurableAppend(b *testing.B) {
	t := filled(b)
	timed(b, 1, func(id string) error { _, err := t.Append(context.Background(), id, message()); return err })
}

// BenchmarkAppendCPU appends durably like BenchmarkDurableAppend, but reports
// processor time, to which defences add, without the time of the disk.
func BenchmarkAppendCPU(b *testing.B) {
	t := filled(b)
	const batch = 16
	r := rand.New(rand.NewPCG(1, 1))
	var took []time.Duration
	for b.Loop() {
		begun := processors(b)
		for range batch {
			if _, err := t.Append(context.Background(), id(r.IntN(sessions)), message()); err != nil {
				b.Fatal(err)
			}
		}
		took = append(took, (processors(b)-begun)/batch)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/10].Nanoseconds()), "p10-ns")
}

// processors returns the processor time that the process has used.
func processors(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkOpen opens a file of SESHAT_COST_MB megabytes (default 16), with and
// without verification.
func BenchmarkOpen(b *testing.B) {
	path := large(b)
	for name, limit := range map[string]int64{"checked": 0, "unchecked": -1} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				s, err := seshat.Open(path,
					seshat.Options{SweepEvery: seshat.Never, File: seshat.FileOptions{VerifyLimit: limit}})
				took = append(took, time.Since(begun))
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
		})
	}
}

// large creates a file of that many megabytes.
func large(b *testing.B) string {
	b.Helper()
	megabytes := int64(16)
	if text := os.Getenv("SESHAT_COST_MB"); text != "" {
		if _, err := fmt.Sscan(text, &megabytes); err != nil {
			b.Fatal(err)
		}
	}
	path := filepath.Join(b.TempDir(), "large.db")
	s, err := seshat.Open(path, seshat.Options{SweepEvery: seshat.Never})
	if err != nil {
		b.Fatal(err)
	}
	t, err := s.EnsureTenant(context.Background(), seshat.Namespace{Name: "t"})
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; ; n++ {
		if info, err := os.Stat(path); err != nil || info.Size() >= megabytes<<20 {
			break
		}
		if err := fillLarge(t, n); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// fillLarge adds a session whose log has messages of two kilobytes.
func fillLarge(t *seshat.Tenant, n int) error {
	if _, err := t.Create(context.Background(), seshat.NewSession{ID: id(n)}); err != nil {
		return err
	}
	m := seshat.Message{Role: seshat.RoleUser, Content: strings.Repeat("said ", 400)}
	_, err := t.Append(context.Background(), id(n), slices.Repeat([]seshat.Message{m}, seshat.MaxTurnMessages)...)
	return err
}

// Promise: each change that removes a defence still fits the code.
func TestChangesFitTheCode(t *testing.T) {
	for _, d := range defences {
		for _, c := range d.changes {
			source, err := os.ReadFile(filepath.Join("..", "..", c.file))
			if n := strings.Count(string(source), c.from); err != nil || n != 1 {
				t.Errorf("%s: %s holds what is to be changed %d times, want once: %v", d.name, c.file, n, err)
			}
		}
	}
}
