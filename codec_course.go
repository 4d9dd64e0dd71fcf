package seshat

import (
	"math"
	"time"

	"github.com/seshatdb/seshat/internal/msgpack"
	"github.com/seshatdb/seshat/internal/rules"
)

func appendCourse(b []byte, in *storedFields) []byte {
	c := &in.timeline
	b = msgpack.AppendInt(b, in.updated)
	b = msgpack.AppendInt(b, c.Active)
	b = msgpack.AppendInt(b, c.Written)
	b = msgpack.AppendInt(b, c.Terminated)
	b = msgpack.AppendInt(b, c.StatusAt)
	b = appendMillis(b, c.Life.TTL)
	b = msgpack.AppendBool(b, c.Life.Sliding)
	b = appendMillis(b, c.Life.MaxLifetime)
	b = appendMillis(b, c.Life.IdleAfter)
	b = appendMillis(b, c.Life.ArchiveAfter)
	return appendMillis(b, c.Life.Retention)
}

// decodeTimeline reads what a record does not have of a course, and the lifecycle
// that follows it.
func (in *storedFields) decodeTimeline(f *msgpack.Fields) {
	c := &in.timeline
	var n [16]int64
	f.Ints(n[:6])
	in.updated = n[0]
	c.Active, c.Written, c.Terminated, c.StatusAt = n[1], n[2], n[3], n[4]
	c.Life.Sliding = f.Bool()
	f.Ints(n[6:])
	c.Life.TTL, c.Life.MaxLifetime = millisOf(f, n[5]), millisOf(f, n[6])
	c.Life.IdleAfter, c.Life.ArchiveAfter, c.Life.Retention = millisOf(f, n[7]), millisOf(f, n[8]), millisOf(f, n[9])
	in.chosenLifecycle.setFields(f, (*[6]int64)(n[10:]))
}

// appendMillis appends a duration of package rules, of which none is zero, so
// that zero can stand for the one which is most common and longest to write.
func appendMillis(b []byte, ms int64) []byte {
	if ms == rules.Never {
		ms = 0
	}
	return msgpack.AppendInt(b, ms)
}

// millisOf is the inverse of appendMillis.
func millisOf(f *msgpack.Fields, ms int64) int64 {
	f.Require(ms >= 0)
	if ms == 0 {
		return rules.Never
	}
	return ms
}

// appendLifecycle appends the six fields of a lifecycle that is not resolved.
func appendLifecycle(b []byte, l *Lifecycle) []byte {
	b = msgpack.AppendInt(b, int64(l.TTL))
	b = msgpack.AppendUint(b, uint64(l.Expiry))
	b = msgpack.AppendInt(b, int64(l.MaxLifetime))
	b = msgpack.AppendInt(b, int64(l.IdleAfter))
	b = msgpack.AppendInt(b, int64(l.ArchiveAfter))
	return msgpack.AppendInt(b, int64(l.Retention))
}

func readLifecycle(f *msgpack.Fields, l *Lifecycle) {
	var n [6]int64
	f.Ints(n[:])
	l.setFields(f, &n)
}

func (l *Lifecycle) setFields(f *msgpack.Fields, n *[6]int64) {
	f.Require(n[1] >= 0 && n[1] <= math.MaxUint8)
	l.TTL, l.Expiry, l.MaxLifetime = time.Duration(n[0]), Expiry(n[1]), time.Duration(n[2])
	l.IdleAfter, l.ArchiveAfter, l.Retention = time.Duration(n[3]), time.Duration(n[4]), time.Duration(n[5])
}
