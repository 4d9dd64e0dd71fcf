package boltdriver

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/fsck"
)

// salvager carries one run of Salvage.
type salvager struct {
	ctx    context.Context
	report salvageResult
	each   func(salvageOutcome)
	verify func(path string) error // checks the new file

	stage *outFile // what was found, as it was found
	out   *outFile // the new file

	hurt     [format.BucketCount]bool    // buckets of which something is missing or wrong
	seed     maphash.Seed                // for doubtful
	doubtful map[uint64]bool             // hashes of the keys in stage that were not found through the tree
	damaged  map[string]bool             // keys of records that were found damaged
	sound    map[uint64]uint64           // records found through the tree, by namespace
	spaces   map[uint64]*format.Counters // of the new file
	before   map[uint64]driver.Usage     // counters as they were stored
	live     map[driver.Incarnation]bool
	erased   format.PendingErasures
	clock    int64
	version  uint64 // of the format, as the tree has it
}

func (s *salvager) run(f *dbfile.File, dst string) (err error) {
	if s.stage, err = newSink(dst); err != nil {
		return err
	}
	defer s.stage.temp.Discard()
	defer s.stage.close()
	if s.out, err = newSink(dst); err != nil {
		return err
	}
	defer s.out.temp.Discard()
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
func (s *salvager) collect(f *dbfile.File) error {
	size := f.Info.Size()
	st, err := fsck.Walk(s.ctx, f.Handle, size, fsck.Options{Visit: s.takeFromTree})
	if damage := (*fsck.DamageError)(nil); errors.As(err, &damage) {
		s.report.problems = damage.Problems
		s.report.more = damage.More
	} else if err != nil {
		return err
	}
	for b, name := range format.BucketNames {
		s.hurt[b] = s.hurt[b] || st.Hurt[""] || st.Hurt[string(name)]
	}
	if err := s.checkVersion(); err != nil {
		return err
	}
	for b := range format.BucketCount {
		s.report.scanned = s.report.scanned || s.hurt[b] && !isIndex(b)
	}
	if s.report.scanned {
		if err := s.scan(f.Handle, st.InTree, uint64(size)/format.PageSize); err != nil {
			return err
		}
	}
	return s.stage.flush()
}

// checkVersion refuses a file whose tree is sound and which is not a store of
// this version.
func (s *salvager) checkVersion() error {
	if s.version > format.Version || s.version == 0 && !s.hurt[format.Meta] {
		return fmt.Errorf("%w: version %d", driver.ErrFormat, s.version)
	}
	return nil
}

// publish checks the new file, whole, and gives it its name.
func (s *salvager) publish(dst string) error {
	if err := s.out.close(); err != nil {
		return err
	}
	if err := s.verify(s.out.temp.Path); err != nil {
		return fmt.Errorf("the new file: %w", err)
	}
	return dbfile.Publish(s.out.temp.Path, dst)
}

// addOutcome reports one value, or several.
func (s *salvager) addOutcome(kind, where string, n uint64, f valueFate) {
	s.each(salvageOutcome{kind, where, f, n})
}

// valueFate is what became of a value that runSalvage saw.
type valueFate uint8

const (
	// fateWhole: the file's tree leads to the value and its checksum holds.
	fateWhole valueFate = iota
	// fateUncertain: the checksum holds, but the value lay on a page that the
	// tree does not lead to. It is in the new file.
	fateUncertain
	// fateLost: the value was there and cannot be read.
	fateLost
)

// outcome says what became of one value, or of several whose keys are unknown.
type salvageOutcome struct {
	kind  string // "record", "message", "entry" or "event"
	where string // its key
	fate  valueFate
	count uint64 // how many; above 1 only for lost ones
}

// salvageResult is what runSalvage found of the structure.
type salvageResult struct {
	problems []fsck.Problem // the first 50
	more     int            // problems beyond those
	scanned  bool           // pages that the tree does not lead to were searched
}

// runSalvage saves what is left of src into a new file at dst. It calls each
// for every value, and verify for the new file before that gets its name. It
// never changes src.
func runSalvage(
	ctx context.Context, src *dbfile.File, dst string, each func(salvageOutcome), verify func(path string) error,
) (salvageResult, error) {
	s := &salvager{
		ctx:      ctx,
		each:     each,
		verify:   verify,
		seed:     maphash.MakeSeed(),
		doubtful: map[uint64]bool{},
		damaged:  map[string]bool{},
		sound:    map[uint64]uint64{},
		spaces:   map[uint64]*format.Counters{},
		before:   map[uint64]driver.Usage{},
		live:     map[driver.Incarnation]bool{},
	}
	err := dbfile.Guarded("salvage", func() error { return s.run(src, dst) })
	return s.report, err
}
