// Package migrate moves a whole store from one engine to another: from a file
// to PostgreSQL and back, or from file to file. Nothing is interpreted: what
// the engines keep is copied as it is, with versions, incarnations, deadlines,
// labels, states, logs with their holes, the ids of messages that were dropped,
// API keys, policies, leases, staged logs and change feeds with their
// positions. What was erased and only not reclaimed yet stays behind.
//
// [Run] works on drivers, not on stores: a store would sweep. Its destination
// must hold nothing. Until the copy has been compared with the source, part by
// part, the destination says that a load goes on and no store opens on it.
//
// The source must not be written meanwhile. A file that is opened by
// boltdriver, read-only or not, is locked against all other processes that
// would. Of a database that several processes share, nobody knows: stop them,
// or take their right to write. What changes all the same is found when source
// and copy are compared, and ErrChanged; only a change that comes after that
// is not in the copy, and not found.
//
// A run that was interrupted, even by a kill, goes on where the destination
// says that it came to, when it is run again with the same source.
package migrate
