package seshat

import (
	"cmp"
	"context"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// SweepOptions choose what a Sweep does.
type SweepOptions struct {
	// DryRun changes nothing, and lists in SweepReport.Due what would happen.
	DryRun bool

	// Limit ends the sweep after so many sessions. The default is no limit;
	// of a dry run 1,000.
	Limit int

	// AcceptClock sweeps although the machine's clock jumped, and trusts the
	// clock again from then on: see SweepReport.ClockJump.
	AcceptClock bool
}

// SweepReport says what a sweep did.
type SweepReport struct {
	Expired     int // sessions removed
	Idled       int // sessions that became idle
	Archived    int // sessions that were archived
	Rescheduled int // sessions that lived on, looked at again at their next deadline
	Failed      int // sessions that could not be swept; Err is the first cause

	Trimmed   int           // events removed from change feeds because of Options.FeedAge
	Reclaimed int           // stored values of erased sessions, users and namespaces removed
	Chunks    int           // transactions
	Took      time.Duration // wall time, without rests
	Err       error         // why it ended early, or the first failure; nil = none

	// ClockJump, if not zero, is how far the machine's clock ran ahead of its
	// monotonic one since Open: more than an hour, so that the sweep removed
	// nothing. Either the machine slept, or its clock is wrong. Sweep with
	// AcceptClock, or reopen the store, to go on.
	ClockJump time.Duration

	Due []DueSession // of a dry run
}

// DueSession is a session that a sweep would change.
type DueSession struct {
	NamespaceID string
	SessionID   string
	Due         time.Time // when it became due
	Action      string    // expire, idle or archive
}

func (r *SweepReport) idle() bool {
	return r.Expired+r.Idled+r.Archived+r.Rescheduled+r.Failed+r.Trimmed+r.Reclaimed == 0 && r.Err == nil &&
		r.ClockJump == 0
}

// Sweep does by hand what the background sweeper does: it removes sessions
// that have expired, applies overdue idling and archiving, shortens feeds (see
// Options.FeedAge), and reclaims what was erased, in transactions of at most
// about 25 ms each. It costs what is due, whatever the store's size. Unlike the
// background sweeper it does not rest between transactions. A session that
// fails does not stop it; its error is in the report. ErrReadOnly, ErrClosed,
// or the context's error.
func (s *Store) Sweep(ctx context.Context, o SweepOptions) (SweepReport, error) {
	r, err := s.sweepOnce(ctx, o, 0)
	return r, wrapStoreError("Sweep", err)
}

// previewSweep lists what a sweep would do now. It reads what is due, and
// namespaces only for those ids that the store does not know yet.
func (s *Store) previewSweep(ctx context.Context, o SweepOptions) (r SweepReport, err error) {
	limit := o.Limit
	if limit == 0 {
		limit = 1000
	}
	var of []uint64 // the namespace of each of r.Due
	q := driver.DueQuery{Now: s.clock.Read(), Limit: firstChunk}
	for len(r.Due) < limit {
		due, err := s.d.Due(ctx, q)
		if err != nil {
			return r, err
		}
		if len(due) == 0 {
			break
		}
		for i := range due {
			if len(r.Due) == limit {
				break
			}
			err := s.previewOne(ctx, &r, due[i], q.Now)
			switch {
			case isDamaged(err):
				r.Failed++
				r.Err = cmp.Or(r.Err, err)
			case err != nil:
				return r, err
			}
			if len(r.Due) > len(of) {
				of = append(of, due[i].Namespace)
			}
		}
		q.After = &due[len(due)-1]
	}
	ids, err := s.namespaceIDs(ctx, of)
	for i, ordinal := range of {
		r.Due[i].NamespaceID = ids[ordinal]
	}
	return r, err
}

// previewOne adds what a sweep would do with one due session to the report. The
// namespace's id is filled in later.
func (s *Store) previewOne(ctx context.Context, r *SweepReport, d driver.Due, now int64) error {
	var rec driver.Record
	// Expires is above any time before it, so this reads expired records too.
	err := s.d.Get(ctx, d.Key, 0, &rec)
	if err == ErrNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	act := actExpire
	if rec.Expires > now {
		ses, err := decodeStoredSession(&rec, "", "")
		if err != nil {
			return err
		}
		act = actionOf(ses, ses.timeline.ApplyDue(now))
	}
	switch act {
	case actReschedule:
		r.Rescheduled++
		return nil
	case actExpire:
		r.Expired++
	case actIdle:
		r.Idled++
	case actArchive:
		r.Archived++
	}
	r.Due = append(r.Due, DueSession{SessionID: d.ID, Due: timeFromMillis(d.At), Action: actionNames[act]})
	return nil
}
