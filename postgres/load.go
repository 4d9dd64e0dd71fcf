package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

var _ driver.Loader = (*Driver)(nil)

// Load adds parts in a transaction of two round trips. Concurrent loads into
// one store wait for the lock of the note. See driver.Loader.
func (d *Driver) Load(ctx context.Context, l driver.Load) error {
	end, err := d.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if d.caps.ReadOnly {
		return driver.ErrReadOnly
	}
	if err := l.Validate(d.caps); err != nil {
		return err
	}
	if err := checkParts(l.Parts); err != nil {
		return err
	}
	var unknown error
	err = d.retry(ctx, func() error {
		err := d.loadOnce(ctx, &l)
		if errors.Is(err, driver.ErrUnknown) {
			unknown = err
			return nil
		}
		return err
	})
	return errors.Join(err, unknown)
}

// checkParts rejects text and numbers that the engine cannot store.
func checkParts(parts []driver.Part) error {
	for i := range parts {
		p := &parts[i]
		text := isText(p.Event.ID) && isText(p.Record.ID) && isText(p.Record.UserID) && isText(p.Message.ID)
		for _, l := range p.Record.Labels {
			text = text && isText(l.Name) && isText(l.Value)
		}
		if !text {
			return notText(fmt.Sprintf("a part in namespace %d", p.Namespace))
		}
		if p.Message.Seq >= maxSeq || p.Event.Position >= maxSeq || p.Head >= maxSeq {
			return fmt.Errorf("%w: a part in namespace %d has a number beyond %d", driver.ErrInvalid, p.Namespace,
				int64(maxSeq))
		}
	}
	return nil
}

var noteKey = driver.EntryKey{Kind: driver.KindLoad}

// anything reports whether the store has any data.
const anything = `select exists (select 1 from {entries}) or exists (select 1 from {sessions})
	or exists (select 1 from {messages}) or exists (select 1 from {logs})
	or exists (select 1 from {events}) or exists (select 1 from {spaces})
	or exists (select 1 from {pending})`

func (d *Driver) loadOnce(ctx context.Context, l *driver.Load) error {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	a := &attempt{mutation: &mutation{d: d}, conn: conn.Conn(), ctx: ctx, late: ctx}
	defer a.rollback()
	stored, used, err := a.admit()
	if err != nil {
		return err
	}
	if string(stored) != string(l.Was) || used && stored == nil {
		return driver.ErrNotEmpty
	}
	clock := a.load(l.Parts)
	if l.Note == nil {
		a.add(deleteEntry, entryArgs(&noteKey, "")...)
	} else {
		a.add(upsertEntry, append(entryArgs(&noteKey, ""), l.Note)...)
	}
	a.add(`commit`)
	if err := a.send(ctx, true); err != nil {
		if code(err) == uniqueViolation || errors.Is(err, errRaced) {
			return fmt.Errorf("%w: %w", driver.ErrNotEmpty, err)
		}
		return err
	}
	raise(&d.clock.last, clock)
	raise(&d.clock.saved, clock)
	return nil
}

// admit begins the transaction and locks and reads the note.
func (a *attempt) admit() (note []byte, used bool, err error) {
	a.add(`begin`)
	a.add(selectEntry+` for update`, entryArgs(&noteKey, "")...).read = func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&note}, func() error { return nil })
		return err
	}
	a.add(anything).read = func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&used}, func() error { return nil })
		return err
	}
	return note, used, a.send(a.ctx, false)
}

// load queues the statements that add parts. It returns the clock in the parts,
// or 0.
func (a *attempt) load(parts []driver.Part) (clock int64) {
	for len(parts) > 0 {
		n := 1
		for n < len(parts) && parts[n].Kind == parts[0].Kind {
			n++
		}
		some := parts[:n]
		parts = parts[n:]
		switch some[0].Kind {
		case driver.PartClock:
			clock = some[0].Time
			a.add(storeClock, clockArgs(clock)...)
		case driver.PartFeed:
			a.loadFeeds(some)
		case driver.PartEvent:
			a.loadEvents(some)
		case driver.PartRecord:
			a.loadRecords(some)
		case driver.PartStage:
			a.loadStages(some)
		case driver.PartEntry:
			a.loadEntries(some)
		case driver.PartMessage, driver.PartRef:
			a.loadMessages(some)
		}
	}
	return clock
}
