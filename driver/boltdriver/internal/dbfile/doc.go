// Package dbfile makes, opens, locks, checks and replaces the file of a store.
// A File is open, locked and known to be sound; what fails on the way leaves no
// half-made file, no lock and no map behind.
//
// It imports driver for errors, format for the schema, fsck for the check
// before a file is mapped, and bbolt. salvage and boltdriver use it. It knows
// nothing of sessions: boltdriver copies its own options into Options.
//
// Guarded and Guard stand between the engine and everybody else: they turn a
// panic of the engine, or a fault on the map, into an error that wraps
// driver.ErrCorrupt.
package dbfile
