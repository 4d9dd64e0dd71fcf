// Package driver is the seam between the store and the engine that keeps its
// data. The store gives data its meaning. A driver makes changes atomic and
// durable, and makes data findable.
//
// One [Op] is one atomic operation on one session, never on keys and values.
// The driver reads the data that the op's [Target] names, passes it to the op's
// Plan as a [View], and commits the [Change] that Plan returns in one step. A
// driver knows no rules, quotas, titles, deadlines or statuses: the store
// computes them, and the driver stores them as plain fields. It hides expired
// and erased data, and nothing else.
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

	// Statuses is the upper bound of Record.Status, exclusive.
	Statuses = 8

	// MaxNameBytes is the longest id, name, user or label in bytes.
	MaxNameBytes = 128

	// MaxOps is the largest number of ops that one call of Mutate takes.
	MaxOps = 512
)

// Driver is one engine. All methods are safe for concurrent use. A driver does
// not retain the caller's strings and slices after a call returns. Strings and
// slices that it returns belong to the caller, except those of a View, which
// are valid only until Plan returns.
//
// After Close every method returns ErrClosed. If the context is done before a
// call begins, the call returns the context's error and does nothing.
type Driver interface {
	// Mutate is the only write. Each op is atomic on its own: it happens whole
	// or not at all, even if other ops fail. The ops of one call run in order,
	// and the driver commits them together if it can. Each op's result is in
	// its Err. Mutate returns the first that is not nil.
	//
	// A nil Err means that the op, and all data that its Plan read, is durable.
	// ErrUnknown means that the op may have happened. If ctx ends before Plan
	// runs, nothing happens and Err is the context's error. Once Plan has run,
	// the driver waits for the commit, or returns ErrUnknown.
	Mutate(ctx context.Context, ops ...*Op) error

	// Get fills into with the record at k if its Expires > now. It reuses the
	// capacity of into.Body and into.Labels. User and Labels may share memory
	// with Body's buffer, so they are valid until into is used again. It
	// returns ErrNotFound if there is no such record.
	Get(ctx context.Context, k Key, now int64, into *Record) error

	// List returns a page of records, all of one durable snapshot.
	List(ctx context.Context, q Query) (Page, error)

	// Count returns the exact number of records that List would return on all
	// pages, with their messages and bytes. It ignores After, Limit, Scan,
	// Order and Desc. Without filters, or with only Statuses, it reads no live
	// record. With Statuses, Messages and Bytes are zero.
	Count(ctx context.Context, q Query) (Usage, error)

	// Messages returns a range of one incarnation's log.
	Messages(ctx context.Context, q LogQuery) ([]Message, error)

	// Entries returns small named values, ordered by name, bytewise.
	Entries(ctx context.Context, q EntryQuery) ([]Entry, error)

	// Feed returns a namespace's events after a position, in order. It returns
	// ErrLagged if events after that position were trimmed.
	Feed(ctx context.Context, q FeedQuery) (Feed, error)

	// Due returns the due entries at or before q.Now, earliest first.
	Due(ctx context.Context, q DueQuery) ([]Due, error)

	// Reclaim removes at most about limit values in one commit: those that
	// Remove, Drop or Erase made invisible, and logs that were staged until now
	// or earlier. A later call continues, also after a crash.
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
	Durable    bool   // acknowledged ops survive power loss; if false, data ends with the process
	Shared     bool   // several processes may open the data; if false, the second gets ErrLocked
	ReadOnly   bool   // Mutate and Reclaim return ErrReadOnly
	MaxRecord  int    // bytes of Record.Body
	MaxMessage int    // bytes of Message.Body
	MaxEntry   int    // bytes of Entry.Value
}

// Key identifies a session.
type Key struct {
	Namespace uint64 // ordinal of the namespace, from 1
	ID        string // unique in the namespace
}

// Incarnation identifies one life of a session id. It is a ULID made at each
// creation. It owns the session's log, message ids and entries, so a reused id
// starts empty.
type Incarnation [16]byte

// Label is one label of a session, with a Name and a Value.
type Label struct{ Name, Value string }

// Record is one session: fields that engines index, and a Body that they do not
// read. Times are Unix milliseconds.
type Record struct {
	Key
	Incarnation  Incarnation // identifies this life of the id
	Version      uint64      // number of changes of the editable part
	NextSeq      uint64      // number of the next message, never lowered
	UserID       string      // "" = none
	Status       uint8       // below Statuses
	Labels       []Label     // by Name, ascending, each name once
	Created      int64       // time of creation
	ActiveMinute int64       // last activity in Unix minutes; orders lists by activity
	Due          int64       // time of the due entry, never after the next deadline; Never = no entry
	Expires      int64       // first moment at which readers must not see it, or Never
	Messages     uint64      // number of messages in the log
	Bytes        uint64      // bytes of Body and of the log's bodies
	Body         []byte      // the session, encoded by the store
}

// Message is one entry of a log.
type Message struct {
	Seq uint64 // number, unique in the incarnation
	ID  string // unique in the incarnation

	// Digest is computed over the message as the caller first gave it. It is
	// stored here and, with ID, in the index of message ids.
	Digest [16]byte

	Body []byte // the message, encoded by the store
}

// Ref is an entry of the index of message ids. It outlives the message: only
// the end of the incarnation removes it.
type Ref struct {
	Found  bool     // the index has the id
	Seq    uint64   // number of the message
	Digest [16]byte // digest of the message
}

// Span is a range of message numbers from From to To, both included.
type Span struct{ From, To uint64 }

// SpanUsage counts the Messages and Bytes of a log in a span.
type SpanUsage struct{ Messages, Bytes uint64 }

// The store defines the kinds of entries. The two high bits of a kind say who
// owns its entries, and so which erasure removes them.
const (
	KindUser    uint8 = 0x40 // owned by the user that Owner names
	KindSession uint8 = 0x80 // owned by the incarnation that Owner names
)

// EntryKey identifies a small value.
//
// An entry of a session kind belongs to an incarnation, and Owner is its 16
// bytes. In a Target and in a Change, leave Owner empty: the driver uses the
// incarnation of the record that it found or puts.
type EntryKey struct {
	Namespace uint64 // 0 = the store itself
	Kind      uint8  // see KindUser and KindSession
	Owner     string // at most MaxName bytes, any bytes
	Name      string // at most 2*MaxName bytes, any bytes
}

// Entry is a small named value. In a Change, a nil Value deletes it.
type Entry struct {
	EntryKey
	Value []byte
}

// EventKind is the kind of a change. The store defines the kinds.
type EventKind uint8

// Event is one committed change in a namespace's feed. The driver numbers it.
type Event struct {
	Position uint64    // from 1, without gaps within a namespace
	Time     int64     // Unix milliseconds
	ID       string    // session id, or the user of an event about a user
	Kind     EventKind // kind of the change
	Status   uint8     // of the session after the change
	Version  uint64    // of the session after the change
	LastSeq  uint64    // number of the newest message
}

// Usage counts the contents of a namespace.
type Usage struct {
	Sessions [Statuses]uint64 // by status
	Messages uint64           // of all sessions
	Bytes    uint64           // of all sessions and messages
}

// Total returns the number of sessions in all statuses.
func (u Usage) Total() uint64 {
	total := uint64(0)
	for _, n := range u.Sessions {
		total += n
	}
	return total
}

// Only returns the part of u that a Query with these Statuses selects; 0 means
// all statuses. Messages and Bytes are not counted by status, so they are zero
// in a part.
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

// Op is one atomic operation.
type Op struct {
	// Target names the data that Plan needs.
	Target Target

	// Clock returns the time in Unix milliseconds. The driver reads it once for
	// each run of Plan, after the wait for queue or lock, and passes it on as
	// View.Now. It stores the largest time that it committed; see KindClock.
	Clock func() int64

	// Plan decides the change. It has no side effects except its own results.
	// It may run repeatedly; the last run counts. It must not call the driver.
	// Its error is returned unchanged as Err, and nothing is written.
	Plan func(View) (Change, error)

	// Err is the result of the op, set by Mutate.
	Err error
}

// KindClock is the kind of the entry (namespace 0, no owner, no name) in which
// Entries returns the largest committed View.Now, as 8 big-endian bytes. No
// Change may write it. A driver shared by several processes may lag one second
// behind.
const KindClock uint8 = 0x3f

// Target names the data that Plan needs, so that the driver reads it in one
// round trip.
type Target struct {
	Key        Key        // ID "" = the op is about no session
	MessageIDs []string   // ids to look up in the record's incarnation
	Seqs       []uint64   // messages of its log to read
	Span       Span       // span of its log to count; To 0 = none
	Entries    []EntryKey // entries to read
	Usage      bool       // whether to read the namespace's usage
}

// View is the committed data that a Target names, with the changes of earlier
// ops of the same commit. It is valid only until Plan returns, except that the
// plan may keep the body and the strings of Record. Nothing of it may be
// changed.
type View struct {
	Now      int64     // time of this run of Plan, Unix milliseconds
	Record   *Record   // nil = none; an expired record is not hidden
	Refs     []Ref     // one for each of MessageIDs
	Messages []Message // one for each of Seqs; Seq 0 = none
	Span     SpanUsage // of Target.Span
	Entries  [][]byte  // one value for each of Target.Entries; nil = none
	FeedHead uint64    // position of the namespace's newest event; 0 = none yet
	FeedTail uint64    // position before the oldest retained event

	// Usage has the stored counters. They include sessions that expired but
	// were not swept, so they are an upper bound. Live subtracts the sessions
	// that expired by Now. Both are set only if the Target asks for them.
	Usage Usage
	Live  func() (Usage, error)
}

// Change is the change that an op makes. Indexes, counters and the index of
// message ids follow from it. The zero Change changes nothing.
type Change struct {
	// Put inserts or replaces the record of the Target's key. If its
	// incarnation differs from the stored record's, it also removes the old
	// record, as Remove does.
	Put *Record

	// Remove removes the record, its log, message ids and entries.
	Remove bool

	// Append adds messages to the log of the record that is put or was found.
	// Replace replaces bodies of existing messages, and Drop removes the
	// messages in its spans. Append adds the message ids to their index;
	// Replace and Drop leave the index alone.
	Append  []Message
	Replace []Message
	Drop    []Span

	// Stage, if not zero, is the incarnation of a log without a record, and
	// Append adds to that log. The log is invisible until a Put has its
	// incarnation. If that does not happen by StageUntil (Unix milliseconds),
	// Reclaim removes it.
	Stage      Incarnation
	StageUntil int64

	// Entries are written, or deleted if Value is nil.
	Entries []Entry

	// Erase makes the data of a user or a namespace invisible at once.
	Erase *Erasure

	// Events are appended to the feed of the Target's namespace.
	Events []Event

	// TrimFeed removes the events of the Target's namespace up to and
	// including this position.
	TrimFeed uint64
}

// Erasure names data to erase. With a UserID, it is the sessions of that user
// with their logs, message ids and entries, and the entries that the user owns.
// Without a UserID, it is everything that has the Namespace in its key.
type Erasure struct {
	Namespace uint64
	UserID    string
}

// Reclaimed is the result of one call of Reclaim.
type Reclaimed struct {
	Values int      // number of removed keys
	More   bool     // whether there is more to remove
	Erased []Erased // one for each erasure of which data was removed
}

// Erased counts the Sessions, Messages, Bytes and Entries that one call removed
// for one erasure. If several processes share the data, each learns of its own
// erasures, no matter which process reclaims their data.
type Erased struct {
	Erasure
	Sessions, Messages, Bytes, Entries uint64
}

// Order is the order of a list.
type Order uint8

// The orders of a list.
const (
	ByCreated  Order = iota // (Created, ID)
	ByActivity              // (ActiveMinute, ID)
)

// Position is a place in a list: the sort key of the last record read.
type Position struct {
	At int64  // Created or ActiveMinute
	ID string // id of the session
}

// Query selects records of one namespace with Expires > Now.
type Query struct {
	// Namespace is the ordinal of the namespace, and Now the time of the query.
	Namespace uint64
	Now       int64

	UserID   string  // "" = any
	Statuses uint8   // bit 1<<status; 0 = any
	Labels   []Label // all of them
	// Half-open ranges in Unix milliseconds; 0 = no bound. Activity is compared
	// by ActiveMinute, with From and To rounded down to the minute.
	CreatedFrom, CreatedTo int64
	ActiveFrom, ActiveTo   int64

	Order Order     // order of the page
	Desc  bool      // newest first
	After *Position // exclusive; nil = from the start
	Limit int       // maximum number of records
	Scan  int       // maximum number of index entries to read; 0 = no limit

	// Into is memory that the driver may use for Page.Records and their Labels,
	// and for nothing else. Its contents are lost.
	Into []Record
}

// Filtered reports whether q has filters besides Statuses, so that counters
// cannot answer it.
func (q *Query) Filtered() bool {
	return q.UserID != "" || len(q.Labels) > 0 || q.CreatedFrom != 0 || q.CreatedTo != 0 || q.ActiveFrom != 0 ||
		q.ActiveTo != 0
}

// Page is the result of a Query.
type Page struct {
	Records []Record // in the query's order
	// Next is the position of the next page, nil at the end. A page that
	// Query.Scan ended may have fewer records than Limit, even none.
	Next    *Position
	Scanned int // index entries read
}

// LogQuery selects messages of one incarnation.
type LogQuery struct {
	Namespace   uint64      // of the incarnation
	Incarnation Incarnation // the owner of the log
	Span        Span        // To 0 = no upper end
	Desc        bool        // newest first
	Limit       int         // maximum number of messages
}

// EntryQuery selects entries of one owner or of all owners.
type EntryQuery struct {
	// The common key of the entries; see EntryKey.
	Namespace uint64
	Kind      uint8
	Owner     string

	// AllOwners selects the entries of all owners after (Owner, After), ordered
	// by (len(Owner), Owner, Name).
	AllOwners bool

	Name  string // exact name; empty = any
	After string // only names after this one; empty = all
	Limit int    // maximum number of entries
}

// FeedQuery selects events of one namespace.
type FeedQuery struct {
	Namespace uint64 // of the feed
	After     uint64 // position; events after it are selected
	Limit     int    // maximum number of events
}

// Feed is the result of a FeedQuery.
type Feed struct {
	Events []Event // by position
	Head   uint64  // position of the newest event; 0 = none yet
	Tail   uint64  // position before the oldest retained event
}

// Due is a due entry: it makes the sweeper look at a session.
type Due struct {
	At int64 // Unix milliseconds
	Key
}

// DueQuery selects due entries with At <= Now.
type DueQuery struct {
	Now   int64
	After *Due // exclusive; nil = from the earliest
	Limit int  // maximum number of entries
}
