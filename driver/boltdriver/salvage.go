package boltdriver

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"

	"github.com/seshatdb/seshat/driver"
)

// Fate is what became of a value that Salvage saw.
type Fate uint8

const (
	// Whole: the file's tree leads to it and its checksum holds.
	Whole Fate = iota
	// Uncertain: its checksum holds, but it lay on a page that the tree does
	// not lead to any more. It may be lost to damage elsewhere, or deleted, or
	// an older version. It is in the new file.
	Uncertain
	// Lost: it was there and cannot be read.
	Lost
)

func (f Fate) String() string { return [...]string{"whole", "uncertain", "lost"}[f] }

// Piece is one value that Salvage saw.
type Piece struct {
	Kind  string // "record", "message", "entry" or "event"
	Where string // its key
	Fate  Fate
	Count uint64 // how many; above 1 only for lost ones whose keys are unknown
}

// Salvaged counts the values of one kind by their fate.
type Salvaged struct{ Whole, Uncertain, Lost uint64 }

// SalvageReport is what Salvage did.
type SalvageReport struct {
	Records, Messages, Entries, Events Salvaged

	Problems []Problem // of the structure, the first 50
	More     int       // problems beyond those
	Scanned  bool      // pages that the tree does not lead to were searched
}

// salvager carries one run of Salvage.
type salvager struct {
	ctx    context.Context
	report SalvageReport
	each   func(Piece)

	stage *outFile // what was found, as it was found
	out   *outFile // the new file

	hurt     [buckets]bool           // buckets of which something is missing or wrong
	seed     maphash.Seed            // for doubtful
	doubtful map[uint64]bool         // hashes of the keys in stage that were not found through the tree
	damaged  map[string]bool         // keys of records that were found damaged
	sound    map[uint64]uint64       // records found through the tree, by namespace
	spaces   map[uint64]*counters    // of the new file
	before   map[uint64]driver.Usage // counters as they were stored
	live     map[driver.Incarnation]bool
	erased   pendingErasures
	clock    int64
	version  uint64 // of the format, as the tree has it
}

// Salvage saves what is left of the file at src, which no process may have
// open for writing, into a new file at dst. It reads src with plain reads and
// never changes it: first through its tree, then, where the tree is damaged,
// every page. Every checksum is verified; indexes and counters are made anew
// from the records. What was erased stays erased: pending erasures are carried
// out. each, if not nil, is called for every value.
//
// Values on free pages are not protected against a tenant who forges them:
// look at Uncertain ones before you trust them.
//
// Errors: fs.ErrExist if dst exists, ErrFormat if src is no store, ErrLocked,
// ctx's. Then there is no dst.
func Salvage(ctx context.Context, src, dst string, each func(Piece)) (SalvageReport, error) {
	if _, err := os.Lstat(dst); err == nil {
		return SalvageReport{}, &os.PathError{Op: "salvage", Path: dst, Err: fs.ErrExist}
	}
	f, err := lockForReading(src)
	if err != nil {
		return SalvageReport{}, err
	}
	defer f.abandon()
	if each == nil {
		each = func(Piece) {}
	}
	s := &salvager{
		ctx: ctx, each: each, seed: maphash.MakeSeed(),
		doubtful: map[uint64]bool{}, damaged: map[string]bool{}, sound: map[uint64]uint64{},
		spaces: map[uint64]*counters{}, before: map[uint64]driver.Usage{}, live: map[driver.Incarnation]bool{},
	}
	err = guarded("salvage", func() error { return s.run(f, dst) })
	if err != nil {
		err = fmt.Errorf("salvage %s: %w", src, err)
	}
	return s.report, err
}

func (s *salvager) run(f *file, dst string) (err error) {
	if s.stage, err = newSink(dst); err != nil {
		return err
	}
	defer s.stage.temp.discard()
	defer s.stage.close()
	if s.out, err = newSink(dst); err != nil {
		return err
	}
	defer s.out.temp.discard()
	defer s.out.close()
	if err := s.collect(f); err != nil {
		return err
	}
	if err := s.rebuild(); err != nil {
		return err
	}
	return s.publish(dst)
}

// collect stages all that can be found in f.
func (s *salvager) collect(f *file) error {
	w := &walker{ctx: s.ctx, r: f.f, visit: s.takeFromTree, suspect: map[uint64]bool{}, hurt: map[string]bool{}}
	size := f.info.Size()
	err := w.checkMetas(size)
	if errors.Is(err, driver.ErrFormat) {
		return err
	}
	if damage := (*DamageError)(nil); errors.As(err, &damage) {
		w.st.problems, w.high = damage.Problems, uint64(size)/pageSize
		w.hurt[""] = true
	} else if err != nil {
		return err
	} else if err := w.walk(); err != nil {
		return err
	}
	s.report.Problems, s.report.More = w.st.problems, w.st.more
	for b, name := range bucketNames {
		s.hurt[b] = s.hurt[b] || w.hurt[""] || w.hurt[string(name)]
	}
	if err := s.checkVersion(); err != nil {
		return err
	}
	for b := range buckets {
		s.report.Scanned = s.report.Scanned || s.hurt[b] && !isIndex(b)
	}
	if s.report.Scanned {
		if err := s.scan(w, uint64(size)/pageSize); err != nil {
			return err
		}
	}
	return s.stage.flush()
}

// checkVersion refuses a file whose tree is sound and which is not a store of
// this version.
func (s *salvager) checkVersion() error {
	if s.version > formatVersion || s.version == 0 && !s.hurt[bMeta] {
		return fmt.Errorf("%w: version %d", driver.ErrFormat, s.version)
	}
	return nil
}

// publish checks the new file, whole, and gives it its name.
func (s *salvager) publish(dst string) error {
	if err := s.out.close(); err != nil {
		return err
	}
	if _, err := Verify(s.ctx, s.out.temp.path, nil); err != nil {
		return fmt.Errorf("the new file: %w", err)
	}
	return publish(s.out.temp.path, dst)
}

// addOutcome reports one value.
func (s *salvager) addOutcome(kind, where string, n uint64, f Fate) {
	c := map[string]*Salvaged{
		"record": &s.report.Records, "message": &s.report.Messages,
		"entry": &s.report.Entries, "event": &s.report.Events,
	}[kind]
	switch f {
	case Whole:
		c.Whole += n
	case Uncertain:
		c.Uncertain += n
	case Lost:
		c.Lost += n
	}
	s.each(Piece{kind, where, f, n})
}
