package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// saveEvery is how far the stored clock may lag behind, in milliseconds: a row
// that every commit wrote would be what they all wait for.
const saveEvery = 1000

// clock is the largest View.Now that was committed: of this process exactly, of
// others to within saveEvery of when it last looked.
type clock struct {
	last, saved atomic.Int64
	claimed     atomic.Int64 // the saved that a commit went to replace early
}

// due reports whether a commit at now must save the clock. One is sent early,
// so that those at the same time need not all wait for the clock's row.
func (c *clock) due(now int64) bool {
	saved := c.saved.Load()
	lag := now - saved
	return saved == 0 || lag >= saveEvery || lag >= saveEvery/2 && c.claimed.Swap(saved) != saved
}

var clockKey = driver.EntryKey{Kind: driver.KindClock}

func raise(to *atomic.Int64, now int64) {
	for {
		old := to.Load()
		if now <= old || to.CompareAndSwap(old, now) {
			return
		}
	}
}

// value is the clock as an entry has it; stored is what the database says.
func (c *clock) value(stored []byte) []byte {
	last := c.last.Load()
	if len(stored) == 8 {
		last = max(last, int64(binary.BigEndian.Uint64(stored)))
	}
	if last == 0 {
		return nil
	}
	return encodeClock(last)
}

func encodeClock(now int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(now)) }

func (d *Driver) startClock(ctx context.Context) error {
	v, err := d.storedClock(ctx)
	if len(v) == 8 {
		at := int64(binary.BigEndian.Uint64(v))
		raise(&d.clock.last, at)
		raise(&d.clock.saved, at)
	}
	return err
}

func (d *Driver) storedClock(ctx context.Context) (v []byte, err error) {
	err = d.retry(ctx, func() error {
		err := d.pool.QueryRow(ctx, d.text(selectEntry), entryArgs(&clockKey, "")...).Scan(&v)
		if errors.Is(err, pgx.ErrNoRows) {
			v = nil
			err = nil
		}
		return err
	})
	return v, err
}

// storeClock never moves the clock back: bytes compare as the numbers do.
const storeClock = `insert into {entries} as e (namespace, class, owner_len, owner, kind, name, value)
	values ($1, $2, $3, $4, $5, $6, $7)
	on conflict (namespace, class, owner_len, owner, kind, name) do update
		set value = greatest(e.value, excluded.value)`

func clockArgs(now int64) []any { return append(entryArgs(&clockKey, ""), encodeClock(now)) }

// saveClock stores what the last commits left for later. If it cannot, the
// stored clock lags by less than saveEvery.
func (d *Driver) saveClock() {
	last := d.clock.last.Load()
	if last <= d.clock.saved.Load() || d.o.ReadOnly {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_, _ = d.pool.Exec(ctx, d.text(storeClock), clockArgs(last)...)
}
