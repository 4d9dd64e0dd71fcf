// Package fsck checks the structure of a store's file with plain reads: no map
// and none of the engine's code, so that nothing faults, panics, hangs or
// recurses without end, whatever the bytes.
//
// Walk is the whole of it. It imports driver for errors and format for the
// pages. dbfile checks each file with it before the engine sees it, salvage
// follows the tree of damaged files with it, and boltdriver uses it in Verify.
package fsck
