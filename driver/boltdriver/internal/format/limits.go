package format

// CopyChunk is how much is copied in one transaction, in bytes.
const CopyChunk = 8 << 20

// FillPercent leaves room for records to grow by a little without splitting
// their page; see the benchmarks.
const FillPercent = 0.9

// Limits of one value, in bytes.
const (
	// MaxRecord bounds the body and the texts of a record.
	MaxRecord = 1 << 20
	// MaxMessage bounds the body of a message.
	MaxMessage = 8 << 20
	// MaxEntry bounds the value of an entry.
	MaxEntry = 1 << 20
)

// PageSize is the size of a page of the file, in bytes.
const PageSize = 4096
