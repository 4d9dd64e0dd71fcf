package seshat_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// The benchmarks use a file and real syncs. Their names contain the number n of
// existing sessions and the number g of goroutines:
//
//	SESHAT_BENCH_N=1e3,1e5  SESHAT_BENCH_G=1,64
//
// pages/op and written-B/op count what commits wrote. ops/commit is the number
// of calls that shared a commit.
var (
	benchSizes    = benchList("SESHAT_BENCH_N", "1e3")
	benchRoutines = benchList("SESHAT_BENCH_G", "1,16")
)

func benchList(env, otherwise string) (out []int) {
	text := os.Getenv(env)
	if text == "" {
		text = otherwise
	}
	for s := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || n < 1 {
			panic(env + ": " + s + " is not a number from 1 on")
		}
		out = append(out, int(n))
	}
	return out
}

func benchName(n, g int) string {
	size := strings.ReplaceAll(strconv.FormatFloat(float64(n), 'e', -1, 64), "e+0", "e")
	return fmt.Sprintf("n=%s/g=%d", size, g)
}

// benchStore is a store with n sessions, about ten per user.
type benchStore struct {
	*seshat.Store
	path  string
	clock *seshattest.Clock
	t     *seshat.Tenant
	ids   []string
}

func newBenchStore(b *testing.B, n int) *benchStore {
	b.Helper()
	s := &benchStore{path: filepath.Join(b.TempDir(), "bench.db"), clock: seshattest.NewClock(), ids: make([]string, n)}
	s.open(b)
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	spread(b, 64, n, func(i int) error {
		s.ids[i] = fmt.Sprintf("session-%09d", i)
		_, err := s.t.Create(context.Background(), s.newSession(i))
		return err
	})
	return s
}

func (s *benchStore) open(b *testing.B) {
	b.Helper()
	var err error
	// By hand: benchmarks measure without what a fixture adds.
	s.Store, err = seshat.Open(s.path, seshat.Options{Now: s.clock.Now, SweepEvery: seshat.Never})
	if err == nil {
		s.t, err = s.EnsureTenant(context.Background(), seshat.Namespace{Name: "bench"})
	}
	if err != nil {
		b.Fatal(err)
	}
}

func (s *benchStore) newSession(i int) seshat.NewSession {
	return seshat.NewSession{
		ID: s.ids[i], UserID: s.user(i), Labels: map[string]string{"tier": "gold"},
		Agent: seshat.AgentConfig{
			Model: "gpt-4o", Temperature: seshat.Ptr(0.2),
			SystemPrompt: strings.Repeat("Be brief. ", 10),
		},
		UserMemory: map[string]any{"name": "Mia", "seat": "aisle", "visits": 7},
	}
}

func (s *benchStore) user(i int) string { return fmt.Sprint("user-", i%(len(s.ids)/10+1)) }

func (s *benchStore) id(i int) string { return s.ids[i%len(s.ids)] }

// spread calls fn(0) to fn(n-1) from g goroutines.
func spread(b *testing.B, g, n int, fn func(i int) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(g, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := fn(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// bench runs fn as a benchmark for each size and number of goroutines.
func bench(b *testing.B, fn func(ctx context.Context, s *benchStore, i int) error) {
	for _, n := range benchSizes {
		for _, g := range benchRoutines {
			var s *benchStore // shared by runs of different length
			b.Run(benchName(n, g), func(inner *testing.B) {
				if s == nil {
					s = newBenchStore(b, n)
				}
				measure(inner, s, func() {
					spread(inner, g, inner.N, func(i int) error { return fn(context.Background(), s, i) })
				})
			})
		}
	}
}

// measure times run and reports what commits wrote during it.
func measure(b *testing.B, s *benchStore, run func()) {
	b.Helper()
	before, err := s.Stats(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	run()
	b.StopTimer()
	after, err := s.Stats(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	per := func(x uint64) float64 { return float64(x) / float64(b.N) }
	b.ReportMetric(per(after.Engine.PagesWritten-before.Engine.PagesWritten), "pages/op")
	b.ReportMetric(per(after.Engine.BytesWritten-before.Engine.BytesWritten), "written-B/op")
	if commits := after.Engine.Commits - before.Engine.Commits; commits > 0 {
		b.ReportMetric(float64(after.Engine.Ops-before.Engine.Ops)/float64(commits), "ops/commit")
	}
}

func BenchmarkCreate(b *testing.B) {
	bench(b, func(ctx context.Context, s *benchStore, i int) error {
		n := s.newSession(i % len(s.ids))
		n.ID = ""
		_, err := s.t.Create(ctx, n)
		return err
	})
}

func BenchmarkGet(b *testing.B) {
	bench(b, func(ctx context.Context, s *benchStore, i int) error {
		_, err := s.t.Get(ctx, s.id(i))
		return err
	})
}

func BenchmarkTouch(b *testing.B) {
	bench(b, func(ctx context.Context, s *benchStore, i int) error {
		_, err := s.t.Touch(ctx, s.id(i))
		return err
	})
}

func BenchmarkAppend(b *testing.B) {
	m := seshat.Message{Role: seshat.RoleUser, Content: strings.Repeat("Where is my flight? ", 10), Tokens: 50}
	bench(b, func(ctx context.Context, s *benchStore, i int) error {
		_, err := s.t.Append(ctx, s.id(i), m)
		return err
	})
}

func BenchmarkHistory(b *testing.B) {
	turn := make([]seshat.Message, 20)
	for i := range turn {
		turn[i] = seshat.Message{ID: fmt.Sprint(i), Role: seshat.RoleUser, Content: "Where is my flight?"}
	}
	bench(b, func(ctx context.Context, s *benchStore, i int) error {
		id := s.id(i % 10)
		if page, err := s.t.History(ctx, id, seshat.HistoryQuery{Last: 20}); err != nil || len(page.Messages) > 0 {
			return err
		}
		_, err := s.t.Append(ctx, id, turn...) // once for each of ten
		return err
	})
}

func BenchmarkUpdate(b *testing.B) {
	bench(b, func(ctx context.Context, s *benchStore, i int) error {
		_, err := s.t.Update(ctx, s.id(i), func(x *seshat.Session) error {
			x.Name = fmt.Sprint("update ", i)
			return nil
		}, seshat.UpdateOptions{})
		return err
	})
}

func BenchmarkTransition(b *testing.B) {
	bench(b, func(ctx context.Context, s *benchStore, i int) error {
		to := seshat.StatusIdle
		if i/len(s.ids)%2 == 1 {
			to = seshat.StatusActive
		}
		_, err := s.t.Transition(ctx, s.id(i), to, seshat.TransitionOptions{})
		return err
	})
}

func BenchmarkListPage(b *testing.B) {
	for name, q := range map[string]func(*benchStore, int) seshat.Query{
		"by=creation": func(*benchStore, int) seshat.Query { return seshat.Query{} },
		"by=activity": func(*benchStore, int) seshat.Query { return seshat.Query{Order: seshat.OrderByActivity} },
		"by=user":     func(s *benchStore, i int) seshat.Query { return seshat.Query{UserID: s.user(i)} },
	} {
		b.Run(name, func(b *testing.B) {
			bench(b, func(ctx context.Context, s *benchStore, i int) error {
				_, err := s.t.List(ctx, q(s, i))
				return err
			})
		})
	}
}

func BenchmarkCount(b *testing.B) {
	bench(b, func(ctx context.Context, s *benchStore, i int) error {
		_, err := s.t.Count(ctx, seshat.Query{Statuses: []seshat.Status{seshat.StatusActive}})
		return err
	})
}

// One op sweeps one expired session among n sessions that live.
func BenchmarkSweep(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(benchName(n, 1), func(b *testing.B) {
			s := newBenchStore(b, n)
			spread(b, 64, b.N, func(int) error {
				_, err := s.t.Create(context.Background(),
					seshat.NewSession{Lifecycle: seshat.Lifecycle{TTL: time.Minute}})
				return err
			})
			s.clock.Advance(time.Minute)
			measure(b, s, func() {
				r, err := s.Sweep(context.Background(), seshat.SweepOptions{})
				if err != nil || r.Expired != b.N {
					b.Errorf("swept %+v, %v; want %d expired", r, err, b.N)
				}
			})
		})
	}
}

// One op opens the file, verifies its structure, and closes it.
func BenchmarkOpen(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(benchName(n, 1), func(b *testing.B) {
			s := newBenchStore(b, n)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				s.open(b)
			}
		})
	}
}
