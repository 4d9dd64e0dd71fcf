// Package driver is the seam between the store and the engine that keeps its
// data. The store owns meaning; a driver makes it atomic, durable and findable.
//
// One [Op] is one atomic operation on one session, never on keys and values:
// the driver fetches what the op's [Target] names, hands it to the op's Plan
// as a [View], and commits the [Change] that Plan returns as one step. A
// driver contains no rule, quota, title, deadline or meaning of a status:
// those are plain fields, computed by the store. It filters Expires > now and
// erased data, and nothing else.
//
// A new driver is done when package drivertest passes on it.
package driver

import (
	"context"
	"math"
)

const (
	// Never is the time of a deadline that does not come. A record whose Due
	// is Never has no due entry.
	Never int64 = math.MaxInt64

	// Statuses bounds Record.Status: every status is below it.
	Statuses = 8

	// MaxName is the longest id, name, user or label in bytes.
	MaxName = 128

	// MaxOps is the most ops that one call of Mutate takes.
	MaxOps = 512
)

// Driver is one engine. All methods are safe for concurrent use. Strings and
// slices that a caller hands in are not retained after the call returns, and
// those a driver hands out belong to the caller, but for a View's, which are
// valid only until Plan returns.
//
// After Close every method returns ErrClosed. A context that is done before a
// call began makes it return the context's error, and nothing happened.
type Driver interface {
	// Mutate is the only write. Each op is atomic on its own: it happens whole
	// or not at all, whatever becomes of the others. Ops of one call run in
	// order, and a driver commits them together where it can. Each op's
	// outcome is left in its Err; Mutate returns the first that is not nil.
	//
	// A nil Err means that the op, and all that its Plan saw, is durable.
	// ErrUnknown means that it may have happened. If ctx ends before Plan ran,
	// nothing did and Err is the context's error; once it ran, the driver
	// waits for the commit, or answers ErrUnknown.
	Mutate(ctx context.Context, ops ...*Op) error

	// Get fills into with the record at k if its Expires > now, reusing the
	// capacity of into.Body and into.Labels; User and Labels may share memory
	// with Body's buffer, so they are valid until into is used again.
	// ErrNotFound: there is none.
	Get(ctx context.Context, k Key, now int64, into *Record) error

	// List returns a page of records, all of one durable snapshot.
	List(ctx context.Context, q Query) (Page, error)

	// Count returns the exact number of records that List would find, with
	// their messages and bytes. It looks at no After, Limit, Scan, Order or
	// Desc. Without filters, or with one on Statuses alone, it reads no
	// live record; with a filter on Statuses, Messages and Bytes are zero.
	Count(ctx context.Context, q Query) (Usage, error)

	// Messages returns a range of one incarnation's log.
	Messages(ctx context.Context, q LogQuery) ([]Message, error)

	// Entries returns small named values in the order of their names, bytewise.
	Entries(ctx context.Context, q EntryQuery) ([]Entry, error)

	// Feed returns a namespace's events after a position, in order.
	// ErrLagged: events after that position were trimmed.
	Feed(ctx context.Context, q FeedQuery) (Feed, error)

	// Due returns what is filed at or before q.Now, earliest first.
	Due(ctx context.Context, q DueQuery) ([]Due, error)

	// Reclaim removes at most about limit values that Remove, Drop or Erase
	// made invisible, and logs staged until now or earlier, in one commit. It
	// is resumable: what it has not removed, a later call will, also after a
	// crash.
	Reclaim(ctx context.Context, now int64, limit int) (Reclaimed, error)

	// Caps returns the driver's limits and guarantees. They are constant.
	Caps() Caps

	// Close waits for running calls and releases the engine. Later calls of
	// Close return nil.
	Close() error
}

// Caps are a driver's limits and guarantees.
type Caps struct {
	Name       string // "bbolt", "memory", …
	Durable    bool   // a nil Err survives power loss; false: it ends with the process
	Shared     bool   // several processes may open the same data; false: the second gets ErrLocked
	ReadOnly   bool   // Mutate and Reclaim return ErrReadOnly
	MaxRecord  int    // bytes of Record.Body
	MaxMessage int    // bytes of Message.Body
	MaxEntry   int    // bytes of Entry.Value
}

// Key names a session: the ordinal of its namespace, from 1, and its id in it.
type Key struct {
	Namespace uint64
	ID        string
}

// Incarnation is one life of a session id: a ULID made at each creation. It
// owns the session's log, message ids and entries, so a reused id starts empty.
type Incarnation [16]byte

// Label is one label of a session.
type Label struct{ Name, Value string }

// Record is one session: what engines index, and a body that they do not read.
// Times are Unix milliseconds.
type Record struct {
	Key
	Incarnation  Incarnation
	Version      uint64  // changes of the editable part
	NextSeq      uint64  // the number of the next message; never lowered
	User         string  // "" = none
	Status       uint8   // below Statuses
	Labels       []Label // by Name, ascending, each name once
	Created      int64
	ActiveMinute int64  // Unix minutes: the order of "last activity"
	Due          int64  // as filed: never later than the next deadline; Never = not filed
	Expires      int64  // the first moment at which readers must not see it; or Never
	Messages     uint64 // entries of the log
	Bytes        uint64 // len(Body) and the log's bodies
	Body         []byte
}

// Message is one entry of a log. Its number is unique in the incarnation.
type Message struct {
	Seq    uint64
	ID     string
	Digest [16]byte // of what the caller first gave; kept here and with ID in the index of message ids
	Body   []byte
}

// Ref is what the index of message ids holds. It outlives the message: only
// the end of the incarnation removes it.
type Ref struct {
	Found  bool
	Seq    uint64
	Digest [16]byte
}

// Span is a range of message numbers, both ends included.
type Span struct{ From, To uint64 }

// SpanUsage is what the log holds in a span.
type SpanUsage struct{ Messages, Bytes uint64 }

// Kinds of entries are the store's own. Their two high bits say who owns them,
// and so what erases them.
const (
	KindUser    uint8 = 0x40 // owned by the user that Owner names
	KindSession uint8 = 0x80 // owned by the incarnation that Owner names
)

// EntryKey names a small value. Namespace 0 is the store itself.
//
// An entry of a session kind belongs to an incarnation, and Owner is its 16
// bytes; in a Target and in a Change it is left empty, and the driver takes
// the incarnation of the record (found, or put).
type EntryKey struct {
	Namespace uint64
	Kind      uint8
	Owner     string // at most MaxName bytes, any bytes
	Name      string // at most 2*MaxName bytes, any bytes
}

// Entry is a small named value. In a Change, a nil Value deletes it.
type Entry struct {
	EntryKey
	Value []byte
}

// EventKind says what an event is about.
type EventKind uint8

// Event is one committed change in a namespace's feed. The driver numbers it.
type Event struct {
	Position uint64 // from 1, without gaps within a namespace
	Time     int64  // Unix milliseconds
	ID       string // session id, or the user of an event about a user
	Kind     EventKind
	Status   uint8
	Version  uint64
	LastSeq  uint64
}

// Usage is what a namespace holds.
type Usage struct {
	Sessions [Statuses]uint64 // by status
	Messages uint64
	Bytes    uint64
}

// Total returns the number of sessions in all statuses.
func (u Usage) Total() uint64 {
	total := uint64(0)
	for _, n := range u.Sessions {
		total += n
	}
	return total
}

// Only returns what is left of u for a Query that selects by these Statuses; 0
// is all of them. Messages and bytes are not kept for each status, and so are
// zero.
func (u Usage) Only(statuses uint8) Usage {
	if statuses == 0 {
		return u
	}
	u.Messages = 0
	u.Bytes = 0
	for i := range u.Sessions {
		if statuses&(1<<i) == 0 {
			u.Sessions[i] = 0
		}
	}
	return u
}

// Op is one atomic change.
type Op struct {
	Target Target

	// Clock returns the time in Unix milliseconds. The driver reads it once
	// for each run of Plan, after the wait for queue or lock, hands it on as
	// View.Now, and keeps the largest that it committed: see KindClock.
	Clock func() int64

	// Plan decides what changes. It is pure but for its own results, and may
	// run again: its last run counts. It must not call the driver. Its error
	// comes back unchanged as Err, and nothing is written.
	Plan func(View) (Change, error)

	// Err is the outcome, set by Mutate.
	Err error
}

// KindClock is the entry (namespace 0, no owner, no name) under which Entries
// shows the largest View.Now that was committed, as 8 big-endian bytes. No
// Change may write it. A driver shared by several processes may lag behind by
// a second.
const KindClock uint8 = 0x3f

// Target names what Plan must see, so that it is fetched in one round trip.
type Target struct {
	Key        Key        // ID "" = the op is about no session
	MessageIDs []string   // looked up in the record's incarnation
	Seqs       []uint64   // messages of it to deliver
	Span       Span       // To 0 = none
	Entries    []EntryKey // entries to deliver
	Usage      bool       // the namespace's usage
}

// View is the committed state that a Target asked for, plus what earlier ops
// of the same commit did. All it holds is valid only until Plan returns, and
// must not be changed.
type View struct {
	Now      int64
	Record   *Record   // nil = none; an expired one is delivered as it is
	Refs     []Ref     // one for each of MessageIDs
	Messages []Message // one for each of Seqs; Seq 0 = none
	Span     SpanUsage
	Entries  [][]byte // one value for each of Target.Entries; nil = none
	FeedHead uint64   // position of the namespace's newest event; 0 = none yet
	FeedTail uint64   // position before the oldest retained event

	// Usage holds the stored counters, which still include sessions that are
	// overdue: an upper bound. Live subtracts those that expired by Now.
	// Both are set only if the Target asked for them.
	Usage Usage
	Live  func() (Usage, error)
}

// Change is all that one op does. Indexes, counters and the index of message
// ids follow from it. The zero Change changes nothing.
type Change struct {
	// Put inserts or replaces the record of the Target's key. A Put with
	// another incarnation than the stored record's also does what Remove does
	// to the old one.
	Put *Record

	// Remove removes the record, its log, message ids and entries.
	Remove bool

	// Append adds messages, Replace replaces bodies of existing ones, Drop
	// removes those in its spans, in the log of the record that is put or was
	// found. Append files the message ids, Replace and Drop leave them.
	Append  []Message
	Replace []Message
	Drop    []Span

	// Stage, if not zero, is a log that belongs to no record yet, to which
	// Append then adds. It is invisible until a Put carries its incarnation,
	// and Reclaim removes it once StageUntil (Unix milliseconds) has passed
	// without one.
	Stage      Incarnation
	StageUntil int64

	// Entries are put, or deleted where Value is nil.
	Entries []Entry

	// Erase makes all that a user, or a whole namespace, has invisible at once.
	Erase *Erasure

	// Events are appended to the feed of the Target's namespace.
	Events []Event

	// TrimFeed removes the events of the Target's namespace up to and
	// including this position.
	TrimFeed uint64
}

// Erasure names what Erase makes invisible: the sessions of a user with their
// logs, message ids and entries, and the entries that the user owns; or, with
// no User, everything that has the namespace in its key.
type Erasure struct {
	Namespace uint64
	User      string
}

// Reclaimed is what one call of Reclaim did.
type Reclaimed struct {
	Values int  // keys removed
	More   bool // something is left to do
	Erased []Erased
}

// Erased counts what was removed for one erasure in one call. Where several
// processes share the data, each hears of the erasures that it made itself,
// whoever reclaims what they left.
type Erased struct {
	Erasure
	Sessions, Messages, Bytes, Entries uint64
}

// Order is the order of a list.
type Order uint8

// What lists can be ordered by.
const (
	ByCreated  Order = iota // (Created, ID)
	ByActivity              // (ActiveMinute, ID)
)

// Position is a place in a list: the key of the last record seen.
type Position struct {
	At int64 // Created or ActiveMinute
	ID string
}

// Query selects records of one namespace with Expires > Now.
type Query struct {
	Namespace uint64
	Now       int64

	User     string  // "" = any
	Statuses uint8   // bit 1<<status; 0 = any
	Labels   []Label // all of them
	// Half-open ranges, Unix milliseconds; 0 = open. Activity is compared by
	// ActiveMinute: From and To are rounded down to their minute.
	CreatedFrom, CreatedTo int64
	ActiveFrom, ActiveTo   int64

	Order Order
	Desc  bool      // newest first
	After *Position // exclusive; nil = from the start
	Limit int       // at most this many records
	Scan  int       // look at this many index entries at most; 0 = no limit

	// Into is memory that the driver may use for Page.Records and their
	// Labels, but for nothing else. What it holds is lost.
	Into []Record
}

// Filtered reports whether q selects by more than Statuses, so that counters
// do not answer it.
func (q *Query) Filtered() bool {
	return q.User != "" || len(q.Labels) > 0 || q.CreatedFrom != 0 || q.CreatedTo != 0 || q.ActiveFrom != 0 ||
		q.ActiveTo != 0
}

// Page is the answer to a Query.
type Page struct {
	Records []Record
	// Next is the place to go on from, nil at the end. A page that was ended
	// by Query.Scan may hold fewer records than Limit, even none.
	Next    *Position
	Scanned int // index entries looked at
}

// LogQuery selects messages of one incarnation.
type LogQuery struct {
	Namespace   uint64
	Incarnation Incarnation
	Span        Span // To 0 = no upper end
	Desc        bool // newest first
	Limit       int
}

// EntryQuery selects entries of one owner, or of all.
type EntryQuery struct {
	Namespace uint64
	Kind      uint8
	Owner     string
	AllOwners bool   // of every owner, ordered by (len(Owner), Owner, Name), from (Owner, After) on
	Name      string // exact, if not empty
	After     string // names after this one; empty = from the first
	Limit     int
}

// FeedQuery selects events of one namespace.
type FeedQuery struct {
	Namespace uint64
	After     uint64
	Limit     int
}

// Feed is the answer to a FeedQuery.
type Feed struct {
	Events []Event
	Head   uint64 // position of the newest event; 0 = none yet
	Tail   uint64 // position before the oldest retained event
}

// Due is a filed due entry.
type Due struct {
	At int64
	Key
}

// DueQuery selects due entries with At <= Now, after a place.
type DueQuery struct {
	Now   int64
	After *Due // exclusive; nil = from the earliest
	Limit int
}
