package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/bench/load"
	"github.com/seshatdb/seshat/bench/peer"
	bolt "go.etcd.io/bbolt"
)

const (
	sweepRounds  = 5
	sweepWriters = 8
)

// largeResult holds the measurements of a large store.
type largeResult struct {
	due           int
	with, without sample // writers, beside a sweep and alone
	sweepTook     time.Duration
	fileMB        float64
	open          time.Duration // with the default check of the structure
	openUnchecked time.Duration
	boltOpen      time.Duration
	residentMB    float64
}

// measureLarge fills a store in which a tenth of the sessions expires in five
// parts. The background sweeper removes each part beside writers. Then
// measureLarge opens the file.
func (r *results) measureLarge() error {
	dir, err := subdir(r.dir, "large")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "seshat.db")
	var ahead atomic.Int64 // of the store's clock
	swept := make(chan seshat.SweepReport, 1024)
	s, err := peer.OpenSeshat(path, seshat.Options{
		Now:        func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		SweepEvery: 20 * time.Millisecond,
		OnSweep:    func(r seshat.SweepReport) { swept <- r },
	})
	if err != nil {
		return err
	}
	if err := r.fillLarge(s); err != nil {
		return err
	}
	if err := r.sweepLarge(s, &ahead, swept); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return r.openLarge(path)
}

func (r *results) fillLarge(s *peer.Seshat) error {
	ctx := context.Background()
	if err := s.Fill(ctx, bare(r.large)); err != nil {
		return err
	}
	each := r.large / 10 / sweepRounds
	r.big.due = each * sweepRounds
	var next atomic.Int64
	ops := make(chan struct{}, r.big.due)
	for range r.big.due {
		ops <- struct{}{}
	}
	close(ops)
	errs := make(chan error, 64)
	for range cap(errs) {
		go func() {
			var err error
			for range ops {
				i := int(next.Add(1)) - 1
				if err == nil {
					err = s.CreateShort(ctx, r.large+i, time.Duration(1+i/each)*time.Hour)
				}
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// sweepLarge measures writers alone and beside a sweep, in turns.
func (r *results) sweepLarge(s *peer.Seshat, ahead *atomic.Int64, swept <-chan seshat.SweepReport) error {
	ctx := context.Background()
	touch := func(_ int, rnd *rand.Rand) error { return s.Touch(ctx, load.ID(rnd.IntN(r.large))) }
	var with, without []sample
	for range sweepRounds {
		alone, err := measure(sweepWriters, 1, 2*r.each, touch)
		if err != nil {
			return err
		}
		ahead.Add(int64(time.Hour + time.Minute))
		stop := make(chan struct{})
		go r.sweepPart(swept, stop)
		beside, err := measureUntil(stop, sweepWriters, 1, touch)
		if err != nil {
			return err
		}
		with = append(with, beside)
		without = append(without, alone)
	}
	r.big.with, r.big.without = medianSample(with), medianSample(without)
	return nil
}

// sweepPart closes stop when a fifth of the due sessions is swept.
func (r *results) sweepPart(swept <-chan seshat.SweepReport, stop chan<- struct{}) {
	start := time.Now()
	for expired := 0; expired < r.big.due/sweepRounds; {
		expired += (<-swept).Expired
	}
	r.big.sweepTook += time.Since(start)
	close(stop)
}

// openLarge opens the file in processes of its own.
func (r *results) openLarge(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	r.big.fileMB = float64(info.Size()) / 1e6
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, x := range []struct {
		how string
		to  *time.Duration
	}{{"bbolt", &r.big.boltOpen}, {"unchecked", &r.big.openUnchecked}, {"checked", &r.big.open}} {
		var all []time.Duration
		for range r.rounds {
			out, err := exec.Command(self, "-probe", x.how+":"+path).Output()
			if err != nil {
				return fmt.Errorf("probe: %w", err)
			}
			var took time.Duration
			if _, err := fmt.Sscan(string(out), &took, &r.big.residentMB); err != nil {
				return err
			}
			all = append(all, took)
		}
		*x.to = medianOf(all, func(d time.Duration) time.Duration { return d })
	}
	return nil
}

// probe opens a file as arg says. It prints the time that took in nanoseconds,
// and the resident memory in megabytes.
func probe(arg string) {
	how, path, _ := strings.Cut(arg, ":")
	start := time.Now()
	var err error
	switch how {
	case "bbolt":
		_, err = bolt.Open(path, 0o600, nil)
	case "unchecked":
		_, err = seshat.Open(path, seshat.Options{SweepEvery: seshat.Never, File: seshat.FileOptions{VerifyLimit: -1}})
	default:
		_, err = seshat.Open(path, seshat.Options{SweepEvery: seshat.Never})
	}
	if err != nil {
		logf("%v", err)
		os.Exit(1)
	}
	fmt.Println(int64(time.Since(start)), residentMB())
}

// residentMB returns 0 if the system does not tell.
func residentMB() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize()) / 1e6
}
