// Package journal holds what a batch of writes has changed before the engine
// has it: the changes in an Overlay, and their memory in an Arena. It is also
// the place of the write-ahead journal, which does not exist yet: a commit will
// append the overlay's tables to it, and a checkpoint will apply them to the
// engine later.
//
// It imports format for the buckets and bbolt for the bucket that an overlay is
// written to. Only boltdriver uses it.
//
// Who owns what: the writer owns an overlay and its arena while it plans a
// batch, and nobody else sees them. Overlay.Write hands the keys and values to
// the engine, which keeps them until the transaction ends; the arena may be
// reset only after that. Once a snapshot carries a table of an overlay, as it
// will with the journal, that table is immutable, and so is the arena that its
// keys and values lie in: the writer goes on with new ones.
package journal
