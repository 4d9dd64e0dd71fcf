package boltdriver

import (
	"context"
	"fmt"

	"github.com/seshatdb/seshat/driver/boltdriver/internal/dbfile"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/salvage"
)

// Fate is what became of a value that Salvage saw.
type Fate uint8

const (
	// Whole says that the file's tree leads to it and its checksum holds.
	Whole = Fate(salvage.Whole)
	// Uncertain says that its checksum holds, but that it lay on a page to
	// which the tree does not lead any more. It may be lost to damage
	// elsewhere, or deleted, or an older version. It is in the new file.
	Uncertain = Fate(salvage.Uncertain)
	// Lost says that it was there and cannot be read.
	Lost = Fate(salvage.Lost)
)

// String returns whole, uncertain or lost.
func (f Fate) String() string { return [...]string{"whole", "uncertain", "lost"}[f] }

// Piece is one value that Salvage saw.
type Piece struct {
	Kind  string // "record", "message", "entry" or "event"
	Where string // its key
	Fate  Fate   // whether it is in the new file
	Count uint64 // how many; above 1 only for lost ones whose keys are unknown
}

// Salvaged counts the values of one kind by their fate.
type Salvaged struct {
	Whole     uint64 // read through the tree
	Uncertain uint64 // read from pages that the tree does not lead to
	Lost      uint64 // not read
}

// SalvageReport is what Salvage did.
type SalvageReport struct {
	// Records, Messages, Entries and Events count the values of each kind.
	Records, Messages, Entries, Events Salvaged

	Problems []Problem // of the structure, the first 50
	More     int       // problems beyond those
	Scanned  bool      // pages that the tree does not lead to were searched
}

// Salvage saves what is left of the file at src, which no process may have
// open for writing, into a new file at dst. It reads src with plain reads and
// never changes it: first through its tree, then, if the tree is damaged,
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
	if err := dbfile.CheckAbsent("salvage", dst); err != nil {
		return SalvageReport{}, err
	}
	f, err := dbfile.OpenReadOnly(src)
	if err != nil {
		return SalvageReport{}, err
	}
	defer f.Abandon()
	var r SalvageReport
	note := func(o salvage.Outcome) {
		r.add(&o)
		if each != nil {
			each(Piece{Kind: o.Kind, Where: o.Where, Fate: Fate(o.Fate), Count: o.Count})
		}
	}
	verify := func(path string) error {
		_, err := Verify(ctx, path, nil)
		return err
	}
	found, err := salvage.Run(ctx, f, dst, note, verify)
	r.Problems = found.Problems
	r.More = found.More
	r.Scanned = found.Scanned
	if err != nil {
		err = fmt.Errorf("salvage %s: %w", src, err)
	}
	return r, err
}

// add counts one outcome.
func (r *SalvageReport) add(o *salvage.Outcome) {
	c := map[string]*Salvaged{
		"record":  &r.Records,
		"message": &r.Messages,
		"entry":   &r.Entries,
		"event":   &r.Events,
	}[o.Kind]
	switch Fate(o.Fate) {
	case Whole:
		c.Whole += o.Count
	case Uncertain:
		c.Uncertain += o.Count
	case Lost:
		c.Lost += o.Count
	}
}
