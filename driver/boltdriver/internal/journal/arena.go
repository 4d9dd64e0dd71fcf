package journal

// Arena hands out memory that lives until Reset: the engine keeps the values
// of a transaction until it is committed, and only then may they be reused.
type Arena struct {
	chunk []byte
	used  int // bytes handed out since reset, in all chunks
}

const chunkSize = 256 << 10

// Used returns how many bytes were handed out since Reset.
func (a *Arena) Used() int { return a.used }

// Room returns an empty slice with a capacity of n bytes.
func (a *Arena) Room(n int) []byte {
	a.used += n
	if cap(a.chunk)-len(a.chunk) < n {
		a.chunk = make([]byte, 0, max(chunkSize, n))
	}
	at := len(a.chunk)
	a.chunk = a.chunk[:at+n]
	return a.chunk[at : at : at+n]
}

// Copy returns a copy of b in the arena.
func (a *Arena) Copy(b []byte) []byte { return append(a.Room(len(b)), b...) }

// Reset makes all that was handed out invalid. It keeps the newest chunk,
// unless that was made for one huge value.
func (a *Arena) Reset() {
	a.used = 0
	if cap(a.chunk) > 4*chunkSize {
		a.chunk = nil
	}
	a.chunk = a.chunk[:0]
}
