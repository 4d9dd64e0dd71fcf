// Package migrate copies a whole store from one engine to another: from a file
// to PostgreSQL and back, or from file to file. It does not interpret the data.
// Everything that the engines keep is copied as it is: versions, incarnations,
// deadlines, labels, states, logs with their gaps, the ids of dropped messages,
// API keys, policies, leases, staged logs and change feeds with their
// positions. Erased data that has not been reclaimed is not copied.
//
// [Run] works on drivers, not on stores, because a store would sweep. The
// destination must be empty. Until the copy has been compared with the source,
// part by part, the destination records that a load is under way, and no store
// opens it.
//
// Nobody may write to the source meanwhile. A file opened by boltdriver,
// read-only or not, is locked against other processes that would write. Several
// processes may share a database and nothing locks it: stop them, or revoke
// their right to write. If the source changes anyway, the comparison finds it
// and Run returns ErrChanged. Only a change after the comparison is missing in
// the copy and not found.
//
// If a run was interrupted or killed, run it again with the same source: it
// resumes from the position recorded in the destination.
package migrate
