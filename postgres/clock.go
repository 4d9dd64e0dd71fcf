package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

// saveEvery is the largest lag of the stored clock, in milliseconds. If every
// commit wrote the row, all commits would wait for it.
const saveEvery = 1000

// clock is the largest committed View.Now. It is exact for this process, and
// lags at most saveEvery behind other processes since it was last read.
type clock struct {
	last, saved atomic.Int64
	claimed     atomic.Int64 // value of saved that a commit is replacing early
}

// due reports whether a commit at now must save the clock. One commit saves it
// early, so that concurrent commits need not wait for the clock's row.
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

// value returns the clock in the form of an entry. stored is the value in the
// database.
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

// storeClock never moves the clock back: the bytes sort like the numbers.
const storeClock = `insert into {entries} as e (namespace, class, owner_len, owner, kind, name, value)
	values ($1, $2, $3, $4, $5, $6, $7)
	on conflict (namespace, class, owner_len, owner, kind, name) do update
		set value = greatest(e.value, excluded.value)`

func clockArgs(now int64) []any { return append(entryArgs(&clockKey, ""), encodeClock(now)) }

// saveClock saves the clock of the last commits. If that fails, the stored
// clock lags less than saveEvery.
func (d *Driver) saveClock() {
	last := d.clock.last.Load()
	if last <= d.clock.saved.Load() || d.o.ReadOnly {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_, _ = d.pool.Exec(ctx, d.text(storeClock), clockArgs(last)...)
}
