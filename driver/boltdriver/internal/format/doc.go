// Package format is the file format of boltdriver: the buckets, the keys, the
// values with their checksums, the marks, and the engine's meta pages. It turns
// bytes into values and back, and does no input or output.
//
// It imports driver for the types of values and bbolt for the schema's
// transaction, and no other package of the module. fsck, dbfile, salvage,
// journal and boltdriver use it.
//
// Functions named Append append to a slice and return it. Functions named Read
// verify the checksum and return an error that wraps driver.ErrCorrupt.
// Functions named Parse only split bytes. Results of Read and Parse share
// memory with their arguments, unless the comment says otherwise.
package format
