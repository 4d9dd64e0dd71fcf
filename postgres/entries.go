package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/seshatdb/seshat/driver"
)

const (
	entryAt = ` where namespace = $1 and class = $2 and owner_len = $3 and owner = $4 and kind = $5 and name = $6`

	selectEntry = `select value from {entries}` + entryAt
	deleteEntry = `delete from {entries}` + entryAt
	updateEntry = `update {entries} set value = $7` + entryAt
	insertEntry = `insert into {entries} (namespace, class, owner_len, owner, kind, name, value)
		values ($1, $2, $3, $4, $5, $6, $7)`
	upsertEntry = insertEntry + ` on conflict (namespace, class, owner_len, owner, kind, name)
		do update set value = excluded.value`
)

// entryArgs returns the primary key of an entry. Its class is the kind of
// owner, so that all entries of an owner are one range of keys.
func entryArgs(k *driver.EntryKey, owner string) []any {
	return []any{
		int64(k.Namespace), int16(k.Kind >> 6), int16(len(owner)), []byte(owner), int16(k.Kind),
		[]byte(k.Name),
	}
}

// mustExclude reports whether c writes an entry that is locked for sharing.
// Locking it exclusively now could deadlock with others that do the same.
func (a *attempt) mustExclude(c *driver.Change) bool {
	for i := range c.Entries {
		if e := a.entries[c.Entries[i].EntryKey]; e != nil && e.shared {
			return true
		}
	}
	return false
}

// changeEntries writes the last value that c has for each entry.
func (a *attempt) changeEntries(inc driver.Incarnation, c *driver.Change) {
	last := make(map[driver.EntryKey]int, len(c.Entries))
	for i := range c.Entries {
		last[c.Entries[i].EntryKey] = i
	}
	for i := range c.Entries {
		if e := &c.Entries[i]; last[e.EntryKey] == i {
			a.changeEntry(e, inc)
		}
	}
}

// changeEntry writes one entry. An entry that was absent when it was read is
// inserted. If another writer was first, that is an error and leads to another
// attempt.
func (a *attempt) changeEntry(e *driver.Entry, inc driver.Incarnation) {
	owner := e.Owner
	seen := a.entries[e.EntryKey]
	if e.Kind&driver.KindSession != 0 {
		owner = string(inc[:])
		seen = nil
	}
	key := entryArgs(&e.EntryKey, owner)
	switch {
	case e.Value == nil:
		a.add(deleteEntry, key...)
	case seen == nil || seen.written:
		a.add(upsertEntry, append(key, e.Value)...)
	case seen.there:
		a.add(updateEntry, append(key, e.Value)...)
	default:
		a.add(insertEntry, append(key, e.Value)...)
	}
	if seen != nil {
		seen.written = true
	}
}

// guard keeps entries absent that o read as absent, until the commit. It
// inserts a row without a value, which conflicts with the row of any other
// writer. Entries that o wrote itself need no guard.
func (a *attempt) guard(o *opRun) {
	for _, k := range o.Target.Entries {
		e := a.entries[k]
		if k.Kind&driver.KindSession != 0 || k.Kind == driver.KindClock || e.there || e.written {
			continue
		}
		e.there = true
		a.add(insertEntry, append(entryArgs(&k, k.Owner), nil)...)
	}
}

// Entries returns entries in the order of (len(Owner), Owner, Name).
func (d *Driver) Entries(ctx context.Context, q driver.EntryQuery) (found []driver.Entry, err error) {
	end, err := d.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if q.Kind == driver.KindClock && q.Namespace == 0 {
		return d.clockEntry(ctx, q)
	}
	sql, args := entryQuery(q)
	err = d.retry(ctx, func() error {
		found = nil
		rows, err := d.pool.Query(ctx, d.text(sql), args...)
		if err != nil {
			return err
		}
		var owner, name, value []byte
		_, err = pgx.ForEachRow(rows, []any{&owner, &name, &value}, func() error {
			k := driver.EntryKey{Namespace: q.Namespace, Kind: q.Kind, Owner: string(owner), Name: string(name)}
			found = append(found, driver.Entry{EntryKey: k, Value: value})
			value = nil
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func entryQuery(q driver.EntryQuery) (sql string, args []any) {
	s := selection{}
	s.sql.WriteString(`select owner, name, value from {entries} where value is not null and namespace = `)
	s.arg(int64(q.Namespace))
	s.and(`class = `, int16(q.Kind>>6))
	s.and(`kind = `, int16(q.Kind))
	switch {
	case !q.AllOwners:
		s.and(`owner_len = `, int16(len(q.Owner)))
		s.and(`owner = `, []byte(q.Owner))
		if q.After != "" {
			s.and(`name > `, []byte(q.After))
		}
	default:
		compare := `(owner_len, owner, name) >= (`
		if q.After != "" {
			compare = `(owner_len, owner, name) > (`
		}
		s.and(compare, int16(min(len(q.Owner), 1<<14)))
		s.then(`, `, []byte(q.Owner))
		s.then(`, `, []byte(q.After))
		s.sql.WriteString(`)`)
	}
	if q.Name != "" {
		s.and(`name = `, []byte(q.Name))
	}
	s.then(` order by owner_len, owner, name limit `, int64(max(q.Limit, 0)))
	return s.sql.String(), s.args
}

// clockEntry answers a query for driver.KindClock. That entry has no name and
// no owner, so no entry comes before it.
func (d *Driver) clockEntry(ctx context.Context, q driver.EntryQuery) ([]driver.Entry, error) {
	stored, err := d.storedClock(ctx)
	v := d.clock.value(stored)
	if err != nil || v == nil || q.Name != "" || q.After != "" || q.Owner != "" || q.Limit < 1 {
		return nil, err
	}
	return []driver.Entry{{EntryKey: clockKey, Value: v}}, nil
}
