package salvage

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
	report Report
	each   func(Outcome)
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
		s.report.Problems = damage.Problems
		s.report.More = damage.More
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
		s.report.Scanned = s.report.Scanned || s.hurt[b] && !isIndex(b)
	}
	if s.report.Scanned {
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
func (s *salvager) addOutcome(kind, where string, n uint64, f Fate) {
	s.each(Outcome{kind, where, f, n})
}

// Fate is what became of a value that Run saw.
type Fate uint8

const (
	// Whole says that the file's tree leads to the value and its checksum
	// holds.
	Whole Fate = iota
	// Uncertain says that the checksum holds, but the value lay on a page that
	// the tree does not lead to. It is in the new file.
	Uncertain
	// Lost says that the value was there and cannot be read.
	Lost
)

// Outcome says what became of one value, or of several whose keys are unknown.
type Outcome struct {
	Kind  string // "record", "message", "entry" or "event"
	Where string // its key
	Fate  Fate   // whether it is in the new file
	Count uint64 // how many; above 1 only for lost ones
}

// Report is what Run found of the structure.
type Report struct {
	Problems []fsck.Problem // the first 50
	More     int            // problems beyond those
	Scanned  bool           // pages that the tree does not lead to were searched
}

// Run saves what is left of src into a new file at dst. It calls each
// for every value, and verify for the new file before that gets its name. It
// never changes src.
func Run(
	ctx context.Context, src *dbfile.File, dst string, each func(Outcome), verify func(path string) error,
) (Report, error) {
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
