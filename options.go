package seshat

import (
	"log/slog"
	"time"
)

// Options configure a store. The zero value is right for most.
type Options struct {
	// Lifecycle is what sessions get where neither they nor their namespace
	// choose. Its zero fields mean the defaults that [Lifecycle] names.
	Lifecycle Lifecycle

	// SweepEvery is the pause between two runs of the background sweeper,
	// which removes what has expired and applies what time brings. Expired
	// sessions are invisible whether it runs or not. Never switches it off,
	// and leaves the work to [Store.Sweep]. The default is one minute.
	SweepEvery time.Duration

	// OnSweep, if set, is called after each background sweep that did
	// something or failed, in the sweeper's goroutine, with no lock held. It
	// may call the store, but not Close. The default is nothing.
	OnSweep func(SweepReport)

	// Title makes a session's name of its first user message. It runs in the
	// goroutine of the append, before the write. What it returns is cut at
	// MaxSessionNameBytes bytes; control characters become spaces. The default is
	// the first line that is not blank, shortened to 80 characters.
	Title func(content string) string

	// FeedEvents is how many events of each namespace's change feed are kept.
	// The default is 100,000; see also FeedAge.
	FeedEvents uint64

	// FeedAge is how long events are kept, as long as they are not more than
	// FeedEvents. The sweeper removes older ones; each of its runs looks at 64
	// namespaces' feeds in their turn, so they may stay a while longer. Never
	// keeps them. The default is 7 days.
	FeedAge time.Duration

	// ReadOnly opens a file, such as a backup, that nothing may change. Every
	// write returns ErrReadOnly, and the sweeper does not run.
	ReadOnly bool

	// Logger gets what goes wrong in the background. Errors of calls are
	// returned, not logged. Its handler must not call the store, which may
	// wait for it. The default is silence.
	Logger *slog.Logger

	// Now is the clock. It must not call the store, which waits for it. A
	// store's time never runs backwards, whatever Now does. The default is
	// time.Now, and only with it the store notices that the machine's clock
	// jumped: see [SweepReport.ClockJump].
	Now func() time.Time

	// File has the knobs of [Open]; OpenMemory and OpenDriver ignore it.
	File FileOptions

	machineClock bool // Now was not set
}

// FileOptions are the knobs of a store in a file.
type FileOptions struct {
	// MaxSize bounds the file in bytes; a write that would pass it fails and
	// changes nothing. The default is no bound.
	MaxSize int64

	// VerifyLimit is the size in bytes above which Open does not check the
	// file's structure, and its indexes, first. Never (-1) checks none. The
	// default is to check files of any size.
	VerifyLimit int64

	// AllowNetworkFS permits a file on NFS, SMB, 9P or FUSE, whose locks and
	// syncs often promise more than they do. The default is to refuse.
	AllowNetworkFS bool
}

const (
	defaultSweepEvery = time.Minute
	defaultFeedEvents = 100_000
	defaultFeedAge    = 7 * 24 * time.Hour
)

// withDefaults returns a complete copy of o, or an error naming the bad field.
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
