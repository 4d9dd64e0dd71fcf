package seshat

import (
	"log/slog"
	"time"
)

// Options configure a store. The zero Options is right for most programs.
type Options struct {
	// Lifecycle applies to sessions of namespaces that do not set their own.
	// Its zero fields mean the defaults that [Lifecycle] documents.
	Lifecycle Lifecycle

	// SweepEvery is the pause between two runs of the background sweeper,
	// which removes expired sessions and applies overdue idling and archiving.
	// Expired sessions are invisible whether it runs or not. Never switches it
	// off; then call [Store.Sweep]. The default is one minute.
	SweepEvery time.Duration

	// OnSweep is called after each background sweep that changed something or
	// failed, in the sweeper's goroutine, with no lock held. It may call the
	// store, except Close. The default is nil: no call.
	OnSweep func(SweepReport)

	// Title makes a session's name from its first user message. It runs in the
	// goroutine of the append, before the write. The store cuts the result at
	// MaxSessionNameBytes bytes and replaces control characters by spaces. The
	// default is the first line that is not blank, cut at 80 characters.
	Title func(content string) string

	// FeedEvents is the maximum number of events in each namespace's change
	// feed. The default is 100,000.
	FeedEvents uint64

	// FeedAge is the age at which the sweeper removes events. Each of its runs
	// reads the feeds of 64 namespaces in turn, so events may stay longer.
	// Never keeps events until there are more than FeedEvents. The default is
	// 7 days.
	FeedAge time.Duration

	// ReadOnly opens a file, such as a backup, without changing it. Every
	// write returns ErrReadOnly, and the sweeper does not run.
	ReadOnly bool

	// Logger receives failures of background work; errors of calls are
	// returned, not logged. The handler must not call the store: that can
	// deadlock. The default discards them.
	Logger *slog.Logger

	// Now is the clock. It must not call the store: that deadlocks. The
	// store's time never runs backwards, whatever Now returns. The default is
	// time.Now. Only with the default does the store detect jumps of the
	// machine's clock: see [SweepReport.ClockJump].
	Now func() time.Time

	// File has options of [Open]; OpenMemory and OpenDriver ignore it.
	File FileOptions

	machineClock bool // Now was not set
}

// FileOptions are the options of a store in a file.
type FileOptions struct {
	// MaxSize is the largest size of the file in bytes. A write that would
	// exceed it fails and changes nothing. The default is no limit.
	MaxSize int64

	// VerifyLimit is the largest file in bytes whose structure and indexes
	// Open verifies. -1 verifies no file. The default verifies every file.
	VerifyLimit int64

	// AllowNetworkFS permits a file on NFS, SMB, 9P or FUSE, whose locks and
	// flushes are often unreliable. By default Open refuses such a file.
	AllowNetworkFS bool
}

const (
	defaultSweepEvery = time.Minute
	defaultFeedEvents = 100_000
	defaultFeedAge    = 7 * 24 * time.Hour
)

// withDefaults returns a complete copy of o, or an error that names the bad
// field.
func (o Options) withDefaults() (Options, error) {
	if err := o.Lifecycle.check().at("lifecycle").err(); err != nil {
		return o, err
	}
	o.Lifecycle = o.Lifecycle.inherit(defaultLifecycle)
	switch {
	case o.SweepEvery == 0:
		o.SweepEvery = defaultSweepEvery
	case o.SweepEvery < 0 && o.SweepEvery != Never:
		return o, invalid("sweep_every", "is %v; 0 (default), more than 0, or Never is allowed", o.SweepEvery)
	}
	if o.FeedAge < 0 && o.FeedAge != Never {
		return o, invalid("feed_age", "is %v; 0 (default), more than 0, or Never is allowed", o.FeedAge)
	}
	if o.FeedAge == 0 {
		o.FeedAge = defaultFeedAge
	}
	if o.FeedEvents == 0 {
		o.FeedEvents = defaultFeedEvents
	}
	if o.File.MaxSize < 0 {
		return o, invalid("file.max_size", "is %d; 0 (no bound) or more is allowed", o.File.MaxSize)
	}
	if o.File.VerifyLimit < -1 {
		return o, invalid("file.verify_limit", "is %d; -1 (Never) or more is allowed", o.File.VerifyLimit)
	}
	o.setFuncs()
	return o, nil
}

func (o *Options) setFuncs() {
	if o.Title == nil {
		o.Title = firstLine
	}
	if o.Now == nil {
		o.Now = time.Now
		o.machineClock = true
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}
