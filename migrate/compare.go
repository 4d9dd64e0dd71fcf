package migrate

import (
	"bytes"
	"context"
	"errors"
	"iter"

	"github.com/seshatdb/seshat/driver"
)

// Compare reads two drivers side by side and reports their common contents.
//
// It returns a *DifferenceError, which matches ErrDiffers, if the contents
// differ, and errors.ErrUnsupported if a driver is not a driver.Dumper. Other
// errors are those of the drivers.
func Compare(ctx context.Context, a, b driver.Driver) (Report, error) {
	if a == b {
		return Report{}, errors.Join(driver.ErrInvalid, errors.New("both drivers are the same"))
	}
	first, err := dumperOf(a)
	if err != nil {
		return Report{}, err
	}
	second, err := dumperOf(b)
	if err != nil {
		return Report{}, err
	}
	c := newComparison(first, second)
	if err := c.run(ctx); err != nil {
		return Report{}, err
	}
	return c.report(), nil
}

// comparison is two dumps, read side by side.
type comparison struct {
	a, b     driver.Dumper
	tally    *tally // of a
	drain    bool   // read the rest of a after a difference
	progress func(done Sums)
	buf      []byte
}

// tellEvery is the number of parts compared between two calls of Progress.
const tellEvery = 4096

func newComparison(a, b driver.Dumper) *comparison {
	c := &comparison{a: a, b: b, tally: newTally(), progress: func(Sums) {}}
	c.tally.spaces = map[uint64]*Namespace{}
	return c
}

func (c *comparison) run(ctx context.Context) (err error) {
	other, stop := iter.Pull2(parts(ctx, c.b))
	defer stop()
	var found *DifferenceError
	for p, err := range parts(ctx, c.a) {
		if err != nil {
			return err
		}
		encoded := c.tally.add(p)
		if c.tally.Parts%tellEvery == 1 {
			c.progress(c.tally.Sums)
		}
		if found != nil {
			continue
		}
		if found, err = c.part(p, encoded, other); err != nil {
			return err
		}
		if found != nil && !c.drain {
			return found
		}
	}
	if found == nil {
		q, err, more := other()
		if err != nil {
			return err
		}
		if more {
			found = &DifferenceError{clonePlace(q), "only in the second"}
		}
	}
	c.progress(c.tally.Sums)
	if found != nil {
		return found
	}
	return nil
}

// part compares p with the next part of the other side.
func (c *comparison) part(p *driver.Part, encoded []byte,
	other func() (*driver.Part, error, bool),
) (*DifferenceError, error) {
	q, err, ok := other()
	switch {
	case err != nil:
		return nil, err
	case !ok || q.Place().Compare(p.Place()) > 0:
		return &DifferenceError{clonePlace(p), "missing in the second"}, nil
	case q.Place().Compare(p.Place()) < 0:
		return &DifferenceError{clonePlace(q), "only in the second"}, nil
	}
	if c.buf = appendPart(c.buf[:0], q); !bytes.Equal(c.buf, encoded) {
		return &DifferenceError{clonePlace(p), "differs"}, nil
	}
	return nil, nil
}

// clonePlace returns the place of p in memory of its own.
func clonePlace(p *driver.Part) driver.Place {
	c := p.Clone()
	return c.Place()
}

func (c *comparison) report() Report {
	return Report{Sums: c.tally.Sums, Digest: c.tally.digest(), Namespaces: c.tally.namespaces()}
}

// parts returns all parts of a dump. Each is valid until the next is read.
func parts(ctx context.Context, d driver.Dumper) iter.Seq2[*driver.Part, error] {
	return func(yield func(*driver.Part, error) bool) {
		stopped := false
		err := d.Dump(ctx, nil, func(p *driver.Part) error {
			if stopped = !yield(p, nil); stopped {
				return errEnough
			}
			return nil
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}
