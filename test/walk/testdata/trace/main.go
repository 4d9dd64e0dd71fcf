// Command trace makes one warm call each of Append, Get and Sweep. Package walk
// builds it with coverage counters, and with a bbolt whose Put calls PutHook. It
// writes the counters of each call below the directory that it is given, and
// prints as JSON the deepest stack from each call to Put.
package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"runtime/coverage"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/seshatdb/seshat"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// frames are the deepest stack of the current call, from bolt.Bucket.Put
// outward to the frame of this program.
var frames []string

// Each Put calls keepDeepest.
func keepDeepest() {
	var pcs [128]uintptr
	callers := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	var stack []string
	for {
		f, more := callers.Next()
		if strings.HasPrefix(f.Function, "main.") {
			break
		}
		stack = append(stack, f.Function)
		if !more {
			break
		}
	}
	if len(stack) > len(frames) {
		frames = stack
	}
}

// record writes the counters of call below dir, and returns its frames.
func record(dir, name string, call func()) []string {
	dir = filepath.Join(dir, name)
	must(os.MkdirAll(dir, 0o755))
	must(coverage.WriteMetaDir(dir))
	frames = nil
	bolt.PutHook = keepDeepest
	must(coverage.ClearCounters())
	call()
	must(coverage.WriteCountersDir(dir))
	bolt.PutHook = nil
	return frames
}

func main() {
	dir := os.Args[1]
	ctx := context.Background()
	now := time.Now()
	s, err := seshat.Open(filepath.Join(dir, "store.db"), seshat.Options{
		SweepEvery: seshat.Never, Now: func() time.Time { return now },
	})
	must(err)
	t, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "n"})
	must(err)
	for _, id := range []string{"a", "b", "c"} {
		_, err = t.Create(ctx, seshat.NewSession{ID: id, UserID: "u", Lifecycle: seshat.Lifecycle{TTL: time.Hour}})
		must(err)
		_, err = t.Append(ctx, id, seshat.Message{Role: seshat.RoleUser, Content: "hi"})
		must(err)
		_, err = t.Get(ctx, id)
		must(err)
	}
	stacks := map[string][]string{}
	stacks["Append"] = record(dir, "Append", func() {
		_, err := t.Append(ctx, "a", seshat.Message{Role: seshat.RoleAssistant, Content: "hello"})
		must(err)
	})
	stacks["Get"] = record(dir, "Get", func() {
		_, err := t.Get(ctx, "a")
		must(err)
	})
	now = now.Add(30 * time.Minute)
	_, err = t.Touch(ctx, "b")
	must(err)
	now = now.Add(45 * time.Minute)
	stacks["Sweep"] = record(dir, "Sweep", func() {
		r, err := s.Sweep(ctx, seshat.SweepOptions{})
		must(err)
		if r.Expired != 2 || r.Rescheduled != 1 {
			panic("the sweep found other sessions due")
		}
	})
	must(s.Close())
	must(json.NewEncoder(os.Stdout).Encode(stacks))
}
