// Package seshat is an embedded session store for AI agents: one file, no
// server, many tenants. A session records who talks to which agent, its
// status, every message, what the agent learned about the user, and when the
// session ends. The store keeps tenants apart, moves sessions through their
// lifecycle, expires them on time, and survives a crash.
//
// Open a [Store] on a file with [Open], or in memory with [OpenMemory] for unit
// tests. A [Tenant] is a handle on one namespace and the only way to reach its
// sessions. A [Session] is one conversation, and a [Message] is one entry of
// its log. Begin with the examples below.
//
// # Isolation
//
// No call reaches a session without the handle of its tenant. No id, name or
// user is a prefix of another's data, whatever bytes it has. A foreign id gives
// the same error as an absent one, after the same reads. The calls of [Store]
// that see all tenants, such as [Store.AllNamespaces], are for its operator.
//
// # Durability
//
// In a file, a write that returned nil survives the end of the process and the
// loss of power, if the disk honours flushes. If the context ends while a call
// is queued, nothing happened. If it ends later, the call may return
// [ErrUnknown]; repeat it with the same message ids or version. In memory, data
// ends with the store.
//
// # Atomicity
//
// A call happens whole or not at all: session, lists, counters, log and change
// feed. A call that failed changed nothing, neither in the store nor in its
// arguments. A turn of several messages is appended whole. The calls that
// consist of several such steps say so: [Tenant.ApplyPolicy], [Store.Sweep],
// and the reclaiming after an erasure.
//
// # Concurrency
//
// Any number of goroutines may call all methods. Calls on one session are
// linearizable, and readers never see what is not yet durable. A page of a list
// or of a log is one snapshot that holds everything acknowledged before the
// call; an iteration is a sequence of pages. One process at a time has the file
// open; the next gets [ErrLocked] within a second.
//
// # Write modes
//
// [Tenant.Append] adds to the log. The store serializes appends, so an append
// is never stale. [Tenant.Update] changes the editable part; with
// [UpdateOptions].IfVersion, an update built on a stale version fails with a
// [ConflictError] that carries both versions. [Tenant.MergeState] sets and
// deletes keys of state and never conflicts. A session's Version counts changes
// of the editable part and its LastSeq counts messages, so appends and touches
// never make an update conflict. No clock decides who wins. A [Lease] lets one
// runner at a time append.
//
// # Order
//
// The store numbers messages in strictly ascending order. It never uses a
// number twice in the life of a session, and a gap means that a message was
// removed. A message whose id and content were appended before is not appended
// again; the call reports its number, even if it was truncated since.
//
// # Expiry
//
// A call that begins at or after a session's deadline finds nothing and revives
// nothing, whether the session was swept or not; counts leave it out. Deadlines
// come from the session, its namespace, [Options] and the defaults when the
// session is created, and are stored with it: see [Lifecycle], which names the
// defaults. A store's time never runs backwards. If the machine's clock jumps
// ahead by more than an hour, the sweeper stops until somebody says that the
// clock is right: see [SweepReport].
//
// # Erasure
//
// [Tenant.Delete], [Tenant.DeleteUser] and [Tenant.DeleteNamespace] remove
// everything: sessions, logs, message ids and state. The data is invisible at
// once and for good, and an id that is used again starts empty. The store
// reclaims the space in bounded steps that continue after a crash. Erased bytes
// may stay in the file until the sweeper ran and their pages are used again, or
// until [Store.Compact]. Backups copy the same pages and may contain them too.
//
// # Ownership
//
// The store copies the values that a call is given, and the values that a call
// returns belong to the caller: nothing is shared with the store or with
// another caller. Functions of the caller, such as the one given to
// [Tenant.Update], run outside of transactions with no lock held, and may call
// the store.
//
// # Errors
//
// Every error matches, by errors.Is, one of this package's sentinels, the error
// of the context, an error of the caller's function, or an error of the file
// system. [Error] adds the call, the tenant and the session's id, and never
// content, so it is safe to log. An argument that is not allowed gives an
// [InvalidError] that names its field. Damage gives [ErrCorrupt], not wrong
// data. After a failed write whose outcome is unknown, reads continue, and
// writes return [ErrFailed] until the store is opened again.
package seshat
