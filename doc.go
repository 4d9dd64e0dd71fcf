// Package seshat is an embedded session store for AI agents: one file, no
// server, many tenants. It remembers every session (who, with which agent, in
// what status, what was said, what was learned about the user, when it ends)
// and does what each agent runtime otherwise writes by hand: it keeps tenants
// apart, moves sessions through their lifecycle, forgets on time, and survives
// a crash.
//
// A [Store] is opened on a file with [Open], or in memory with [OpenMemory] for
// unit tests. A [Tenant] is a handle on one namespace and the only way to reach
// its sessions. A [Session] is one conversation, a [Message] one entry of its
// log. The examples below are stories to begin with.
//
// # Isolation
//
// No call without a tenant's handle reaches a session, and no id, name or user
// is a prefix of another's data, whatever bytes it has. A foreign id and an
// absent one give the same error after the same reads. The calls of [Store] that
// see all tenants, such as [Store.AllNamespaces], are for its operator.
//
// # Durability
//
// In a file, a write that returned nil survives the end of the process and the
// loss of power, provided that the disk does what a flush asks of it. If the
// context ends while a call is queued, nothing happened; an end that comes
// later may give [ErrUnknown], and the same call with the same message ids or
// version can be repeated. In memory, data ends with the store.
//
// # Atomicity
//
// A call happens whole or not at all: session, lists, counters, log and change
// feed. A call that failed changed nothing, neither in the store nor in the
// values that it was given. A turn of several messages is appended whole. The
// calls that are made of several such steps say so: [Tenant.ApplyPolicy],
// [Store.Sweep], and the reclaiming behind an erasure.
//
// # Concurrency
//
// All methods may be called from any number of goroutines. Calls on one session
// are linearizable, and readers never see what is not yet durable. A page of a
// list or of a log is one snapshot that holds everything acknowledged before
// the call; an iteration is a sequence of pages. One process at a time has the
// file open; the next gets [ErrLocked] within a second.
//
// # Write modes
//
// Append adds to the log. The store serializes it, so it is never stale.
// [Tenant.Update] changes the editable part; with [IfVersion] the one who built
// on an older version gets a [ConflictError] with both. [Tenant.MergeState] sets
// and deletes keys of state and never conflicts. A session's Version counts
// changes of the editable part and its LastSeq the log, so appends and touches
// never make an update conflict. No clock decides who wins. A [Lease] lets one
// runner at a time append.
//
// # Order
//
// The store numbers messages: strictly ascending, never used again in the life
// of a session, with gaps only where something was removed. A message whose id
// and content were appended before is not appended again; the call reports its
// number, also if it was truncated since.
//
// # Expiry
//
// A call that begins at or after a session's deadline finds nothing and revives
// nothing, whether it was swept or not; counts leave it out. Deadlines are
// resolved from session, namespace and options when the session is created, and
// stored: see [Lifecycle]. A store's time never runs backwards, and if the
// machine's clock jumps ahead by more than an hour the sweeper stops until
// somebody says that the clock is right: see [SweepReport].
//
// # Erasure
//
// [Tenant.Delete], [Tenant.DeleteUser] and [Tenant.DeleteNamespace] remove all
// of it: sessions, logs, message ids and state. It is invisible at once and for
// good, and an id that is used again starts empty. Its space is reclaimed in
// bounded steps that go on after a crash. Bytes of what was erased may stay in
// the file until it is swept and their pages are used again, or until
// [Store.Compact]; and as long in backups, which are made of the same pages.
//
// # Ownership
//
// Values that are given to a call are copied, and values that it returns are
// the caller's: nothing is shared with the store or with another caller.
// Functions of the caller, such as the one given to Update, run with no lock
// held and outside of transactions, and may call the store.
//
// # Errors
//
// Every error matches, by errors.Is, one of this package's sentinels, the error
// of the context, what a function of the caller returned, or what the file
// system said. [Error] adds the call, the tenant and the session's id, and never
// content, so it is safe to log. An argument that is not allowed gives an
// [InvalidError] that names it. Damage gives [ErrCorrupt], not wrong data. After
// a failure to write whose outcome is unknown reads go on, and writes return
// [ErrFailed] until the store is opened again.
package seshat
