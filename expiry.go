package seshat

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/seshatdb/seshat/driver"
)

// SweepOptions are the options of [Store.Sweep]. The zero SweepOptions sweeps
// everything that is due.
type SweepOptions struct {
	// DryRun changes nothing: SweepReport.Due lists the sessions that a sweep
	// would change.
	DryRun bool

	// Limit is the maximum number of sessions. The default is no limit, or
	// 1,000 for a dry run.
	Limit int

	// AcceptClock sweeps although the machine's clock jumped, and trusts the
	// clock from then on: see SweepReport.ClockJump.
	AcceptClock bool
}

// SweepReport is the result of a sweep.
type SweepReport struct {
	Expired     int // sessions removed
	Idled       int // sessions that became idle
	Archived    int // sessions that were archived
	Rescheduled int // sessions not yet due, rescheduled to their next deadline
	Failed      int // sessions that could not be swept; Err is the first cause

	Trimmed   int           // events removed from change feeds because of Options.FeedAge
	Reclaimed int           // stored values of erased sessions, users and namespaces removed
	Chunks    int           // transactions
	Took      time.Duration // wall time without pauses
	Err       error         // first failure, or the reason for an early end; nil = none

	// ClockJump is set if the machine's clock ran more than an hour ahead of
	// its monotonic clock since Open. It is the difference. The sweep then
	// removed nothing: either the machine slept, or its clock is wrong. To
	// continue, sweep with AcceptClock or reopen the store.
	ClockJump time.Duration

	Due []DueSession // only of a dry run
}

// DueSession is a session that a sweep would change.
type DueSession struct {
	NamespaceID string    // the session's namespace
	SessionID   string    // the session
	Due         time.Time // the deadline that has passed
	Action      string    // expire, idle or archive
}

func (r *SweepReport) idle() bool {
	return r.Expired+r.Idled+r.Archived+r.Rescheduled+r.Failed+r.Trimmed+r.Reclaimed == 0 && r.Err == nil &&
		r.ClockJump == 0
}

// Sweep does the work of the background sweeper now: it removes expired
// sessions, applies overdue idling and archiving, shortens feeds (see
// Options.FeedAge), and reclaims the space of erasures, in transactions of at
// most about 25 ms each. Its cost depends on the number of due sessions, not on
// the store's size. It does not pause between transactions. If a session fails,
// the sweep continues and the report has the error.
//
// Errors: ErrReadOnly; ErrClosed; ErrInvalid; the context's error.
func (s *Store) Sweep(ctx context.Context, o SweepOptions) (SweepReport, error) {
	r, err := s.sweepOnce(ctx, o, 0)
	return r, wrapStoreError("Sweep", err)
}

// previewSweep is a dry run of sweepOnce. It reads the due sessions, and only
// those namespaces whose ids the store does not know yet.
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

// previewOne adds one due session to the report of a dry run. The caller adds
// the namespace's id.
func (s *Store) previewOne(ctx context.Context, r *SweepReport, d driver.Due, now int64) error {
	var rec driver.Record
	// At time 0 no session has expired, so this reads expired records too.
	err := s.d.Get(ctx, d.Key, 0, &rec)
	if errors.Is(err, ErrNotFound) {
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
	case actNone:
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
