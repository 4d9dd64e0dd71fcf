package boltdriver

import (
	"bytes"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver/internal/format"
)

// walk reads a range of the keys of bucket c, u or a, in either direction.
type walk struct {
	cursor
	prefix  []byte
	from    []byte // first key of the range
	to      []byte // first key after the range; nil = no end
	skip    []byte // ascending only: a key to leave out of the range
	desc    bool
	started bool
}

// newWalk returns a walk over the part of an index that q's ranges and cursor
// select.
func newWalk(v *view, in format.Bucket, q *driver.Query) walk {
	w := walk{cursor: v.cursor(in), desc: q.Desc}
	if w.prefix = format.AppendU64Key(nil, q.Namespace); in == format.Users {
		w.prefix = format.AppendUserPrefix(nil, q.Namespace, q.UserID)
	}
	from := q.CreatedFrom
	to := q.CreatedTo
	unit := int64(1)
	if in == format.Active {
		from = q.ActiveFrom
		to = q.ActiveTo
		unit = minute
	}
	w.from = w.prefix
	w.to = format.PrefixEnd(bytes.Clone(w.prefix))
	if from != 0 {
		w.from = w.place(from/unit, "")
	}
	if to != 0 {
		w.to = w.place(to/unit, "")
	}
	if q.After != nil {
		w.resume(w.place(q.After.At, q.After.ID))
	}
	return w
}

func (w *walk) place(at int64, id string) []byte {
	return append(format.AppendTimeKey(bytes.Clone(w.prefix), at), id...)
}

// resume continues after key, which may no longer exist.
func (w *walk) resume(key []byte) {
	if w.desc {
		if w.to == nil || bytes.Compare(key, w.to) < 0 {
			w.to = key
		}
		return
	}
	if bytes.Compare(key, w.from) >= 0 {
		w.from = key
		w.skip = key
	}
}

// next returns the next key of the range, or nil.
func (w *walk) next() []byte {
	k := w.step()
	if !w.started {
		w.started = true
		if w.skip != nil && bytes.Equal(k, w.skip) {
			k = w.step()
		}
	}
	if k == nil || bytes.Compare(k, w.from) < 0 || w.to != nil && bytes.Compare(k, w.to) >= 0 {
		return nil
	}
	if _, _, ok := format.ParsePlace(k[len(w.prefix):]); !ok {
		return nil
	}
	return k
}

func (w *walk) step() (k []byte) {
	switch {
	case w.started && w.desc:
		k, _ = w.prev()
	case w.started:
		k, _ = w.cursor.Next()
	case !w.desc:
		k, _ = w.Seek(w.from)
	case w.to == nil:
		k, _ = w.last()
	default:
		k, _ = w.before(w.to)
	}
	return k
}
