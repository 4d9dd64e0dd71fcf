package seshat

import (
	"time"

	"github.com/seshatdb/seshat/internal/rules"
	"github.com/seshatdb/seshat/internal/wire"
)

func appendCourse(b []byte, in *inner) []byte {
	c := &in.course
	b = wire.AppendInt(b, in.updated)
	b = wire.AppendInt(b, c.Active)
	b = wire.AppendInt(b, c.Written)
	b = wire.AppendInt(b, c.Terminated)
	b = wire.AppendInt(b, c.StatusAt)
	b = appendMillis(b, c.Life.TTL)
	b = wire.AppendBool(b, c.Life.Sliding)
	b = appendMillis(b, c.Life.MaxLifetime)
	b = appendMillis(b, c.Life.IdleAfter)
	b = appendMillis(b, c.Life.ArchiveAfter)
	return appendMillis(b, c.Life.Retention)
}

// readCourse reads what a record does not have of a course.
func (in *inner) readCourse(f *wire.Fields) {
	c := &in.course
	in.updated = f.Int()
	c.Active, c.Written, c.Terminated, c.StatusAt = f.Int(), f.Int(), f.Int(), f.Int()
	c.Life = rules.Life{
		TTL: readMillis(f), Sliding: f.Bool(), MaxLifetime: readMillis(f),
		IdleAfter: readMillis(f), ArchiveAfter: readMillis(f), Retention: readMillis(f),
	}
}

// appendMillis appends a duration of package rules, of which none is zero, so
// that zero can stand for the one which is most common and longest to write.
func appendMillis(b []byte, ms int64) []byte {
	if ms == rules.Never {
		ms = 0
	}
	return wire.AppendInt(b, ms)
}

func readMillis(f *wire.Fields) int64 {
	ms := f.Int()
	f.Require(ms >= 0)
	if ms == 0 {
		return rules.Never
	}
	return ms
}

// appendLifecycle appends the six fields of a lifecycle that is not resolved.
func appendLifecycle(b []byte, l *Lifecycle) []byte {
	b = wire.AppendInt(b, int64(l.TTL))
	b = wire.AppendUint(b, uint64(l.Expiry))
	b = wire.AppendInt(b, int64(l.MaxLifetime))
	b = wire.AppendInt(b, int64(l.IdleAfter))
	b = wire.AppendInt(b, int64(l.ArchiveAfter))
	return wire.AppendInt(b, int64(l.Retention))
}

func readLifecycle(f *wire.Fields, l *Lifecycle) {
	l.TTL, l.Expiry = time.Duration(f.Int()), Expiry(f.Byte())
	l.MaxLifetime, l.IdleAfter = time.Duration(f.Int()), time.Duration(f.Int())
	l.ArchiveAfter, l.Retention = time.Duration(f.Int()), time.Duration(f.Int())
}
