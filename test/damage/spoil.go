package damage

import (
	"math/rand/v2"
)

// kind is a kind of damage. It changes the image in place and returns what
// remains of it.
type kind struct {
	name  string
	spoil func(r *rand.Rand, b []byte, f *fixture) []byte

	// lost means that the disk keeps a whole page of an earlier moment, with
	// valid checksums. No call can notice that, so old or short answers are
	// counted but are not violations.
	lost bool
}

var kinds = []kind{
	{"bit", func(r *rand.Rand, b []byte, _ *fixture) []byte {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		return b
	}, false},
	{"byte", func(r *rand.Rand, b []byte, _ *fixture) []byte {
		b[r.IntN(len(b))] += byte(1 + r.IntN(255))
		return b
	}, false},
	{"sector of zeros", func(r *rand.Rand, b []byte, _ *fixture) []byte {
		clear(block(r, b, 512))
		return b
	}, false},
	{"sector of junk", func(r *rand.Rand, b []byte, _ *fixture) []byte {
		at := block(r, b, 512)
		for i := range at {
			at[i] = byte(r.Uint32())
		}
		return b
	}, false},
	{"pages swapped", func(r *rand.Rand, b []byte, _ *fixture) []byte {
		from := block(r, b, pageSize)
		to := block(r, b, pageSize)
		kept := string(to)
		copy(to, from)
		copy(from, kept)
		return b
	}, false},
	{"page doubled", func(r *rand.Rand, b []byte, _ *fixture) []byte {
		copy(block(r, b, pageSize), block(r, b, pageSize))
		return b
	}, false},
	{"file truncated", func(r *rand.Rand, b []byte, _ *fixture) []byte { return b[:r.IntN(len(b))] }, false},
	{"file extended", func(r *rand.Rand, b []byte, _ *fixture) []byte {
		return append(b, make([]byte, 1+r.IntN(5*pageSize))...)
	}, false},
	{"stale page", stale, true},
}

// stale restores an old version of a page, if there is a different one, like a
// disk that lost a write.
func stale(r *rand.Rand, b []byte, f *fixture) []byte {
	older := f.older[r.IntN(len(f.older))]
	n := min(len(b), len(older)) / pageSize
	for range 1000 {
		at := r.IntN(n) * pageSize
		if string(b[at:at+pageSize]) != string(older[at:at+pageSize]) {
			copy(b[at:at+pageSize], older[at:])
			break
		}
	}
	return b
}

// block returns an aligned block of that size.
func block(r *rand.Rand, b []byte, size int) []byte {
	at := r.IntN(len(b)/size) * size
	return b[at : at+size]
}
