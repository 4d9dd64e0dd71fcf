package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/transfer"
)

// job is one run of the program.
type job struct {
	ctx    context.Context
	w      io.Writer
	path   string
	later  time.Duration // lead of the store's clock over the machine's
	tenant *seshat.Tenant
}

func (j *job) now() time.Time { return time.Now().Add(j.later) }

// open opens the store. Sessions become idle after an hour without a message.
func (j *job) open() (*seshat.Store, error) {
	store, err := seshat.Open(j.path, seshat.Options{Now: j.now, SweepEvery: seshat.Never})
	if err != nil {
		return nil, err
	}
	j.tenant, err = store.EnsureTenant(j.ctx, seshat.Namespace{
		Name: "airline", Lifecycle: seshat.Lifecycle{IdleAfter: time.Hour},
	})
	if err != nil {
		_ = store.Close()
		return nil, err
	}
	return store, nil
}

func (j *job) fill(data string) error {
	store, err := j.open()
	if err != nil {
		return err
	}
	defer store.Close()
	for _, step := range []func() error{
		func() error { return j.importFile(data) },
		j.archive,
		func() error { return j.hourLater(store) },
		j.list, j.readBack, j.users,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return store.Close()
}

func (j *job) importFile(data string) error {
	f, err := os.Open(data)
	if err != nil {
		return err
	}
	defer f.Close()
	start := time.Now()
	r, err := transfer.ImportOpenAI(j.ctx, j.tenant, f, transfer.Options{})
	if err != nil {
		return err
	}
	j.took(start, "imported %d sessions with %d messages, each session durable", r.Sessions, r.Messages)
	return nil
}

// archive archives the solved conversations.
func (j *job) archive() error {
	start := time.Now()
	n := 0
	for s, err := range j.tenant.Sessions(j.ctx, seshat.Query{}) {
		if err != nil {
			return err
		}
		if reward(s) < 1 {
			continue
		}
		if _, err := j.tenant.Transition(j.ctx, s.ID, seshat.StatusArchived,
			seshat.TransitionOptions{Reason: "solved", Actor: "airline"}); err != nil {
			return err
		}
		n++
	}
	j.took(start, "archived the %d solved sessions", n)
	return nil
}

// reward returns the reward in the metadata of an imported session.
func reward(s *seshat.Session) float64 {
	var others struct{ Reward float64 }
	text, _ := s.Metadata.Map()["openai"].(string)
	if json.Unmarshal([]byte(text), &others) != nil {
		return 0
	}
	return others.Reward
}

// hourLater sweeps one hour later, when all sessions are due to become idle.
func (j *job) hourLater(store *seshat.Store) error {
	j.later += time.Hour
	start := time.Now()
	r, err := store.Sweep(j.ctx, seshat.SweepOptions{})
	if err != nil {
		return err
	}
	j.took(start, "an hour later a sweep made %d idle", r.Idled)
	return nil
}

func (j *job) list() error {
	start := time.Now()
	n := 0
	for _, err := range j.tenant.Sessions(j.ctx, seshat.Query{Order: seshat.OrderByActivity}) {
		if err != nil {
			return err
		}
		n++
	}
	j.took(start, "listed %d sessions by activity in pages of 50", n)
	return nil
}

func (j *job) readBack() error {
	start := time.Now()
	n := 0
	size := 0
	for s, err := range j.tenant.Sessions(j.ctx, seshat.Query{}) {
		if err != nil {
			return err
		}
		for m, err := range j.tenant.Messages(j.ctx, s.ID, seshat.HistoryQuery{}) {
			if err != nil {
				return err
			}
			n++
			size += len(m.Payload)
		}
	}
	j.took(start, "read %d messages back, %.1f MB of JSON", n, float64(size)/1e6)
	return nil
}

// users prints the users with most sessions, and the sessions by status.
func (j *job) users() error {
	count := map[string]int{}
	for s, err := range j.tenant.Sessions(j.ctx, seshat.Query{}) {
		if err != nil {
			return err
		}
		count[s.UserID]++
	}
	users := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	fmt.Fprintf(j.w, "\n%d users; most sessions:\n", len(users))
	for _, u := range users[:min(6, len(users))] {
		fmt.Fprintf(j.w, "%6d  %s\n", count[u], cmp.Or(u, "(none)"))
	}
	return j.status()
}

func (j *job) status() error {
	u, err := j.tenant.Usage(j.ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(j.w, "\n%d active, %d idle, %d archived, %d terminated; %d messages, %.1f MB\n\n",
		u.ByStatus(seshat.StatusActive), u.ByStatus(seshat.StatusIdle), u.ByStatus(seshat.StatusArchived),
		u.ByStatus(seshat.StatusTerminated), u.Messages, float64(u.Bytes)/1e6)
	return err
}

// verify checks the closed file and opens it once more.
func (j *job) verify() error {
	start := time.Now()
	r, err := seshat.Verify(j.ctx, j.path)
	if err != nil {
		return err
	}
	j.took(start, "verified %.1f MB: %d keys, every checksum and index entry", float64(r.Size)/1e6, r.Keys)
	start = time.Now()
	store, err := j.open()
	if err != nil {
		return err
	}
	defer store.Close()
	j.took(start, "opened again")
	return j.status()
}
