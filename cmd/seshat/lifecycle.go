package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
)

// lifecycleFlags are the deadlines of a session or a namespace.
type lifecycleFlags struct{ seshat.Lifecycle }

var lifecycleNames = []string{"ttl", "expiry", "max-lifetime", "idle-after", "archive-after", "retention"}

func (l *lifecycleFlags) flags(f *pflag.FlagSet) {
	f.Var((*duration)(&l.TTL), "ttl", "how long a session exists, such as 48h, or never")
	f.TextVar(&l.Expiry, "expiry", seshat.Expiry(0),
		"the `kind` of ttl: sliding (from the last write) or absolute (from creation)")
	f.Var((*duration)(&l.MaxLifetime), "max-lifetime", "end of a session, counted from its creation, whatever keeps it")
	f.Var((*duration)(&l.IdleAfter), "idle-after", "idle after so long without activity")
	f.Var((*duration)(&l.ArchiveAfter), "archive-after", "archived after so long idle")
	f.Var((*duration)(&l.Retention), "retention", "how long a terminated session is kept")
}

func (l *lifecycleFlags) changed(f *pflag.FlagSet) bool { return anyChanged(f, lifecycleNames...) }

func anyChanged(f *pflag.FlagSet, names ...string) bool {
	return slices.ContainsFunc(names, f.Changed)
}

// duration is the flag of a deadline: a Go duration, or never.
type duration time.Duration

// String returns the duration as Set reads it.
func (d *duration) String() string {
	switch time.Duration(*d) {
	case 0:
		return ""
	case seshat.Never:
		return "never"
	}
	return time.Duration(*d).String()
}

// Set reads a duration, such as 90m or 48h, or never.
func (d *duration) Set(s string) error {
	if s == "never" {
		*d = duration(seshat.Never)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is neither a duration such as 90m or 48h, nor never", s)
	}
	*d = duration(v)
	return nil
}

// Type names the value in help.
func (d *duration) Type() string { return "duration" }
