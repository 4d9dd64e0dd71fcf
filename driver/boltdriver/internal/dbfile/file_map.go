package dbfile

import (
	"math/bits"
	"os"
	"runtime"
)

// bigMapSize is how much address space a writable file's map takes from the
// start. It costs nothing but address space.
const bigMapSize = 16 << 30

// mapSize chooses the initial size of the map and sets bigMap and mapLimit.
// If address space is short (32 bits, a limit on the process) or a map
// makes the file as large as itself (Windows), the map grows with the file.
func (f *File) mapSize(o Options) int {
	size := f.Info.Size()
	f.MapLimit = RoundMap(size)
	if o.ReadOnly || o.Hooks.NoBigMap || bits.UintSize < 64 || runtime.GOOS == "windows" {
		return 0
	}
	want := RoundMap(max(bigMapSize, 2*size))
	if !canMap(f.Handle, want) {
		return 0
	}
	f.BigMap = true
	f.MapLimit = want
	return int(want)
}

// RoundMap is how the engine rounds the size of its map: a power of two from
// 32 KiB to 1 GiB, then whole GiB.
func RoundMap(size int64) int64 {
	const step = 1 << 30
	for s := int64(1 << 15); s <= step; s *= 2 {
		if size <= s {
			return s
		}
	}
	return (size + step - 1) / step * step
}

// fileSize returns the size of the open file in bytes, or 0 if it cannot be
// told.
func fileSize(f *os.File) int64 {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
