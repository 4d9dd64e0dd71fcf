package boltdriver

// arena hands out memory that lives until reset: the engine keeps the values
// of a transaction until it is committed, and only then may they be reused.
type arena struct {
	chunk []byte
	used  int // bytes handed out since reset, in all chunks
}

const chunkSize = 256 << 10

// room returns an empty slice with a capacity of n bytes.
func (a *arena) room(n int) []byte {
	a.used += n
	if cap(a.chunk)-len(a.chunk) < n {
		a.chunk = make([]byte, 0, max(chunkSize, n))
	}
	at := len(a.chunk)
	a.chunk = a.chunk[:at+n]
	return a.chunk[at : at : at+n]
}

// copy returns a copy of b.
func (a *arena) copy(b []byte) []byte { return append(a.room(len(b)), b...) }

// reset makes all that was handed out invalid. It keeps the newest chunk,
// unless that was made for one huge value.
func (a *arena) reset() {
	a.used = 0
	if cap(a.chunk) > 4*chunkSize {
		a.chunk = nil
	}
	a.chunk = a.chunk[:0]
}
