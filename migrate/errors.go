package migrate

import (
	"errors"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

var (
	// ErrChanged reports that the source was written after the copy began. The
	// destination must be discarded.
	ErrChanged = errors.New("the source was written during the copy")

	// ErrDiffers reports that the contents of two drivers differ. See
	// [DifferenceError].
	ErrDiffers = errors.New("the stores differ")

	// ErrNotEmpty reports that the destination contains other data than the
	// source, or that another copy into it is under way.
	ErrNotEmpty = driver.ErrNotEmpty
)

// DifferenceError names the first part that differs between two drivers. It
// contains ids but no content. It matches ErrDiffers.
type DifferenceError struct {
	At   driver.Place // place of the part
	What string       // such as "missing"
}

// Error returns the part and the difference.
func (e *DifferenceError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrDiffers, describe(e.At), e.What)
}

// Is reports whether target is ErrDiffers.
func (e *DifferenceError) Is(target error) bool { return target == ErrDiffers }

// describe formats a place.
func describe(at driver.Place) string {
	where := fmt.Sprintf("in namespace %d", at.Namespace)
	switch at.Kind {
	case driver.PartClock:
		return "clock"
	case driver.PartFeed:
		return "feed " + where
	case driver.PartEvent:
		return fmt.Sprintf("event %d %s", at.Number, where)
	case driver.PartRecord:
		return fmt.Sprintf("session %q %s", at.Name, where)
	case driver.PartStage:
		return fmt.Sprintf("staged log %x %s", at.Incarnation, where)
	case driver.PartEntry:
		return fmt.Sprintf("entry %q of %q, kind %d %s", at.Name, at.Owner, at.Number, where)
	case driver.PartMessage:
		return fmt.Sprintf("message %d of incarnation %x %s", at.Number, at.Incarnation, where)
	case driver.PartRef:
		return fmt.Sprintf("message id %q of incarnation %x %s", at.Name, at.Incarnation, where)
	}
	return fmt.Sprintf("part of kind %d %s", at.Kind, where)
}
