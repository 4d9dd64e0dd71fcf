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
	f.Var((*duration)(&l.TTL), "ttl", "time to live of a session, such as 48h, or never")
	f.TextVar(&l.Expiry, "expiry", seshat.Expiry(0),
		"`start` of the ttl: sliding (last write) or absolute (creation)")
	f.Var((*duration)(&l.MaxLifetime), "max-lifetime",
		"limit of a session's life from its creation, even if writes extend it")
	f.Var((*duration)(&l.IdleAfter), "idle-after", "time without activity until a session is idle")
	f.Var((*duration)(&l.ArchiveAfter), "archive-after", "time that a session is idle until it is archived")
	f.Var((*duration)(&l.Retention), "retention", "time to keep a terminated session")
}

func (l *lifecycleFlags) changed(f *pflag.FlagSet) bool { return anyChanged(f, lifecycleNames...) }

func anyChanged(f *pflag.FlagSet, names ...string) bool {
	return slices.ContainsFunc(names, f.Changed)
}

// duration is the flag of a deadline: a Go duration, or never.
type duration time.Duration

// String returns the duration in the form that Set parses.
func (d *duration) String() string {
	switch time.Duration(*d) {
	case 0:
		return ""
	case seshat.Never:
		return "never"
	}
	return time.Duration(*d).String()
}

// Set parses a duration, such as 90m or 48h, or never.
func (d *duration) Set(s string) error {
	if s == "never" {
		*d = duration(seshat.Never)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 {
		return fmt.Errorf("%q: give a duration such as 90m or 48h, or never", s)
	}
	*d = duration(v)
	return nil
}

// Type returns the name of the value in help texts.
func (d *duration) Type() string { return "duration" }
