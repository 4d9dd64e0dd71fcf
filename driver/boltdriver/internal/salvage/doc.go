// Package salvage saves what is left of a damaged file into a new one. It
// stages every sound value that it finds, first through the file's tree and
// then, if that is damaged, on every page; from the staged values it writes a
// file with indexes and counters made anew.
//
// It imports driver for values, format for their form, fsck for the tree and
// dbfile for the files. boltdriver uses it in Salvage, which counts the
// outcomes and passes Verify in, as that opens a driver.
package salvage
