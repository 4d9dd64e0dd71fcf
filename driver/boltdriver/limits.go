package boltdriver

// compactChunk is how much is copied in one transaction, in bytes.
const compactChunk = 8 << 20

// fillPercent leaves room for records to grow by a little without splitting
// their page; see the benchmarks.
const fillPercent = 0.9

// Limits of one value, in bytes.
const (
	maxRecord  = 1 << 20
	maxMessage = 8 << 20
	maxEntry   = 1 << 20
)

// pageSize is the size of a page of the file, in bytes.
const pageSize = 4096
