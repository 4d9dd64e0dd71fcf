package fsck

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck/fscktest"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// image is a sound file with the places that its damage tests need.
type image struct {
	b                            []byte
	m                            format.MetaPage
	branch, leaf, long, freelist uint64 // pages; long has overflow
}

func newImage(t *testing.T) *image {
	t.Helper()
	g := &image{b: fscktest.Sample(t, 2000)}
	g.m = fscktest.MetaOf(t, g.b)
	g.freelist = g.m.Freelist
	for id := g.m.InUse - 1; id > 1; id-- {
		p := g.b[id*format.PageSize:]
		if binary.LittleEndian.Uint64(p) != id || !g.used(t, id) {
			continue
		}
		switch flags := binary.LittleEndian.Uint16(p[8:]); {
		case flags == format.FlagBranch:
			g.branch = id
		case flags == format.FlagLeaf && binary.LittleEndian.Uint32(p[12:]) > 0:
			g.long = id
		case flags == format.FlagLeaf && binary.LittleEndian.Uint16(p[10:]) > 3 && id != g.m.Root:
			g.leaf = id
		}
	}
	if g.branch == 0 || g.leaf == 0 || g.long == 0 {
		t.Fatalf("the sample has no page of each kind: %+v", g.m)
	}
	return g
}

// used says whether the tree leads to page id.
func (g *image) used(t *testing.T, id uint64) bool {
	t.Helper()
	if g.b[id*format.PageSize+4] != 0 {
		return false
	}
	g.b[id*format.PageSize+4] = 1
	_, err := fsckBytes(g.b)
	g.b[id*format.PageSize+4] = 0
	return err != nil
}

// patch damages a copy of the image.
type patch func(g *image, b []byte)

func in(page func(*image) uint64, off int, fn func(p []byte)) patch {
	return func(g *image, b []byte) { fn(b[page(g)*format.PageSize+uint64(off):]) }
}

func leafOf(g *image) uint64   { return g.leaf }
func branchOf(g *image) uint64 { return g.branch }
func longOf(g *image) uint64   { return g.long }
func rootOf(g *image) uint64   { return g.m.Root }
func listOf(g *image) uint64   { return g.freelist }

func inc32(p []byte)  { binary.LittleEndian.PutUint32(p, binary.LittleEndian.Uint32(p)+1) }
func max16(p []byte)  { binary.LittleEndian.PutUint16(p, 0xFFFF) }
func max32(p []byte)  { binary.LittleEndian.PutUint32(p, 0xFFFFFFFF) }
func zero16(p []byte) { binary.LittleEndian.PutUint16(p, 0) }
func zero32(p []byte) { binary.LittleEndian.PutUint32(p, 0) }
func zero64(p []byte) { binary.LittleEndian.PutUint64(p, 0) }

// inInline patches the page of the bucket "inline", which is in the root.
func inInline(off int, fn func(p []byte)) patch {
	return func(g *image, b []byte) {
		p := b[g.m.Root*format.PageSize:]
		for i := range uint64(binary.LittleEndian.Uint16(p[10:])) {
			if e := LeafElement(p, i); string(p[e.Offset:e.Offset+e.KeySize]) == "inline" {
				fn(p[int(e.Offset+e.KeySize)+format.HeaderSize+off:])
			}
		}
	}
}

// damages are the kinds of damage, and a part of the words that name each.
var damages = map[string]struct {
	do   patch
	want string
}{
	"page number": {in(leafOf, 0, inc32), "says it is page"},
	"flags":       {in(leafOf, 8, zero16), "is no node"},
	"count too small": {in(leafOf, 10, func(p []byte) {
		binary.LittleEndian.PutUint16(p, binary.LittleEndian.Uint16(p)-1)
	}), "begins at"},
	"count too large":    {in(leafOf, 10, max16), "do not fit"},
	"overflow":           {in(leafOf, 12, max32), "reach past the end"},
	"overflow by one":    {in(longOf, 12, inc32), ""},
	"overflow lost":      {in(longOf, 12, zero32), ""},
	"element flags":      {in(leafOf, 16, func(p []byte) { p[0] = 6 }), "has flags"},
	"element is bucket":  {in(leafOf, 16, func(p []byte) { p[0] = 1 }), ""},
	"element place":      {in(leafOf, 16+4, inc32), "begins at"},
	"key length":         {in(leafOf, 16+8, max32), "a key of"},
	"no key":             {in(leafOf, 16+8, zero32), "a key of 0"},
	"value length":       {in(leafOf, 16+12, max32), "reaches outside"},
	"branch count":       {in(branchOf, 10, zero16), "without children"},
	"branch child":       {in(branchOf, 16+8, zero64), "points to page 0"},
	"branch child twice": {in(branchOf, 16+8, func(p []byte) { copy(p, p[16:24]) }), ""},
	"branch loop": {func(g *image, b []byte) {
		binary.LittleEndian.PutUint64(b[g.branch*format.PageSize+24:], g.branch)
	}, "is used twice"},
	"bucket flag":    {in(rootOf, 16, zero32), "a value among the buckets"},
	"inline flags":   {inInline(8, max16), "inline bucket"},
	"inline count":   {inInline(10, max16), "inline bucket"},
	"inline element": {inInline(16+8, max32), "a key of"},
	"inline root":    {inInline(-16, max32), "points to page"},
	"inline loop": {func(g *image, b []byte) {
		inInline(-16, func(p []byte) { binary.LittleEndian.PutUint64(p, g.leaf) })(g, b)
	}, "is used twice"},
	"list flags": {in(listOf, 8, zero16), "is no freelist"},
	"list count": {in(listOf, 10, func(p []byte) {
		binary.LittleEndian.PutUint16(p, 0xFFF0)
	}), "does not fit"},
	"list long count": {in(listOf, 10, max16), "does not fit"},
	"list page in use": {func(g *image, b []byte) {
		binary.LittleEndian.PutUint64(b[g.freelist*format.PageSize+16:], g.m.Root)
	}, ""},
	"list page outside": {func(g *image, b []byte) {
		binary.LittleEndian.PutUint64(b[g.freelist*format.PageSize+16:], 1<<40)
	}, "free page"},
	"key order": {func(g *image, b []byte) {
		p := b[g.leaf*format.PageSize:]
		e := LeafElement(p, 1)
		p[e.Offset] = 0
	}, "out of order"},
	"key beyond its parent": {func(g *image, b []byte) {
		p := b[g.leaf*format.PageSize:]
		e := LeafElement(p, uint64(binary.LittleEndian.Uint16(p[10:]))-1)
		p[e.Offset] = 0xff
	}, "out of order"},
}

// Each kind of damage to the structure is found, with words that name it.
func TestFsckDamage(t *testing.T) {
	g := newImage(t)
	for name, c := range damages {
		b := bytes.Clone(g.b)
		c.do(g, b)
		_, err := fsckBytes(b)
		var de *DamageError
		if !errors.Is(err, driver.ErrCorrupt) || !errors.As(err, &de) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Damage of meta pages is found though the engine would fall back on the other
// one and lose the last commit.
func TestFsckMetaDamage(t *testing.T) {
	for name, c := range map[string]struct {
		patch []byte
		seal  bool
		want  error
	}{
		"one sum":      {[]byte{0, 0, 72, 0xAA}, false, driver.ErrCorrupt},
		"one number":   {[]byte{0, 0, 0, 9}, false, driver.ErrCorrupt},
		"high mark":    {[]byte{0, 0, 57, 0xff, 0, 16, 57, 0xff}, true, driver.ErrCorrupt},
		"low mark":     {[]byte{0, 0, 56, 1, 0, 16, 56, 1, 0, 0, 57, 0, 0, 16, 57, 0}, true, driver.ErrCorrupt},
		"transactions": {[]byte{0, 0, 65, 9}, true, driver.ErrCorrupt},
		"page size":    {[]byte{0, 0, 25, 0x20}, true, driver.ErrFormat},
		"no freelist": {[]byte{
			0, 0, 48, 255, 0, 0, 49, 255, 0, 0, 50, 255, 0, 0, 51, 255,
			0, 0, 52, 255, 0, 0, 53, 255, 0, 0, 54, 255, 0, 0, 55, 255,
			0, 16, 48, 255, 0, 16, 49, 255, 0, 16, 50, 255, 0, 16, 51, 255,
			0, 16, 52, 255, 0, 16, 53, 255, 0, 16, 54, 255, 0, 16, 55, 255,
		}, true, driver.ErrFormat},
	} {
		if _, err := fsckBytes(fscktest.Patched(fscktest.Sample(t, 200), c.patch, c.seal)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// failAt fails to read one page.
type failAt struct {
	io.ReaderAt
	page int64
}

func (f failAt) ReadAt(b []byte, off int64) (int, error) {
	if off <= f.page*format.PageSize && f.page*format.PageSize < off+int64(len(b)) {
		return 0, errInjected
	}
	return f.ReaderAt.ReadAt(b, off)
}

// A page that cannot be read is damage if it is in use, and its number is told.
func TestFsckReadError(t *testing.T) {
	b := fscktest.Sample(t, 600)
	st, err := fsckBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	failed := uint64(0)
	for id := int64(0); id < int64(len(b)/format.PageSize); id++ {
		_, err := Walk(context.Background(), failAt{bytes.NewReader(b), id}, int64(len(b)), Options{})
		if err == nil {
			continue
		}
		failed++
		if id > 1 && !errors.Is(err, driver.ErrCorrupt) || id < 2 && !errors.Is(err, errInjected) {
			t.Errorf("page %d: %v", id, err)
		}
	}
	if most := 2 + st.Branches + st.Leaves + st.listed; failed > most || failed < st.Branches+2 {
		t.Errorf("%d pages failed of %d in use", failed, most)
	}
}

var errInjected = errors.New("injected")
