package seshat

import (
	"fmt"
	"time"

	"github.com/seshatdb/seshat/internal/rules"
)

// Never is the duration of a deadline that does not come.
const Never time.Duration = -1

// Expiry says what a TTL counts from.
type Expiry uint8

// The ways to count a TTL.
const (
	ExpirySliding  Expiry = 1 // from the last write or Touch; reads never extend it
	ExpiryAbsolute Expiry = 2 // from creation
)

// Lifecycle says how long a session lasts and how it ages. It is resolved
// field by field from the session, its namespace, [Options] and the defaults,
// and stored with the session when that is created: zero inherits, [Never]
// switches a deadline off. Durations are rounded up to the millisecond.
type Lifecycle struct {
	// TTL is how long a session exists, counted as Expiry says. The default
	// is 7 days.
	TTL time.Duration `json:"ttl,omitempty"`

	// Expiry is Sliding or Absolute. The default is Sliding.
	Expiry Expiry `json:"expiry,omitempty"`

	// MaxLifetime ends a session this long after its creation, whatever else
	// would keep it. The default is Never.
	MaxLifetime time.Duration `json:"max_lifetime,omitempty"`

	// IdleAfter makes an active session idle after so long without activity.
	// The default is Never.
	IdleAfter time.Duration `json:"idle_after,omitempty"`

	// ArchiveAfter archives a session that was idle for so long. The default
	// is Never.
	ArchiveAfter time.Duration `json:"archive_after,omitempty"`

	// Retention is how long a terminated session is kept from then on. The
	// default is 7 days.
	Retention time.Duration `json:"retention,omitempty"`
}

// defaultLifecycle is what no one chose.
var defaultLifecycle = Lifecycle{
	TTL:          7 * 24 * time.Hour,
	Expiry:       ExpirySliding,
	MaxLifetime:  Never,
	IdleAfter:    Never,
	ArchiveAfter: Never,
	Retention:    7 * 24 * time.Hour,
}

// inherit fills what l leaves open from base.
func (l Lifecycle) inherit(base Lifecycle) Lifecycle {
	pick := func(a, b time.Duration) time.Duration {
		if a == 0 {
			return b
		}
		return a
	}
	l.TTL = pick(l.TTL, base.TTL)
	l.MaxLifetime = pick(l.MaxLifetime, base.MaxLifetime)
	l.IdleAfter = pick(l.IdleAfter, base.IdleAfter)
	l.ArchiveAfter = pick(l.ArchiveAfter, base.ArchiveAfter)
	l.Retention = pick(l.Retention, base.Retention)
	if l.Expiry == 0 {
		l.Expiry = base.Expiry
	}
	return l
}

// check refuses negative durations except Never, and an unknown Expiry.
func (l *Lifecycle) check() *fieldError {
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"ttl", l.TTL},
		{"max_lifetime", l.MaxLifetime},
		{"idle_after", l.IdleAfter},
		{"archive_after", l.ArchiveAfter},
		{"retention", l.Retention},
	} {
		if d.d < 0 && d.d != Never {
			return refuse(d.name, "is %v; 0 (inherit), more than 0, or Never is allowed", d.d)
		}
	}
	if l.Expiry > ExpiryAbsolute {
		return refuse("expiry", "is unknown; sliding, absolute are allowed")
	}
	return nil
}

// resolve is a resolved lifecycle in the milliseconds of package rules.
func (l Lifecycle) resolve() rules.Lifecycle {
	return rules.Lifecycle{
		TTL:          rules.Millis(l.TTL),
		Sliding:      l.Expiry == ExpirySliding,
		MaxLifetime:  rules.Millis(l.MaxLifetime),
		IdleAfter:    rules.Millis(l.IdleAfter),
		ArchiveAfter: rules.Millis(l.ArchiveAfter),
		Retention:    rules.Millis(l.Retention),
	}
}

// lifecycleFromRules is the inverse of life.
func lifecycleFromRules(l rules.Lifecycle) Lifecycle {
	e := ExpiryAbsolute
	if l.Sliding {
		e = ExpirySliding
	}
	return Lifecycle{
		TTL:          rules.Duration(l.TTL),
		Expiry:       e,
		MaxLifetime:  rules.Duration(l.MaxLifetime),
		IdleAfter:    rules.Duration(l.IdleAfter),
		ArchiveAfter: rules.Duration(l.ArchiveAfter),
		Retention:    rules.Duration(l.Retention),
	}
}

// timeFromMillis converts stored milliseconds to UTC; 0 and Never give the zero time.
func timeFromMillis(ms int64) time.Time {
	if ms == 0 || ms == rules.Never {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// String returns sliding or absolute.
func (e Expiry) String() string {
	switch e {
	case ExpirySliding:
		return "sliding"
	case ExpiryAbsolute:
		return "absolute"
	}
	return fmt.Sprintf("expiry(%d)", uint8(e))
}

// MarshalText returns sliding, absolute, or nothing for the zero value.
func (e Expiry) MarshalText() ([]byte, error) {
	if e == 0 {
		return nil, nil
	}
	return []byte(e.String()), nil
}

// UnmarshalText reads sliding, absolute or nothing.
func (e *Expiry) UnmarshalText(text []byte) error {
	switch string(text) {
	case "":
		*e = 0
	case "sliding":
		*e = ExpirySliding
	case "absolute":
		*e = ExpiryAbsolute
	default:
		return invalid("expiry", "is unknown; sliding, absolute are allowed")
	}
	return nil
}

// withEdits is l with the fields that differ between base and now as now has them.
func (l Lifecycle) withEdits(base, now Lifecycle) Lifecycle {
	if base.TTL != now.TTL {
		l.TTL = now.TTL
	}
	if base.Expiry != now.Expiry {
		l.Expiry = now.Expiry
	}
	if base.MaxLifetime != now.MaxLifetime {
		l.MaxLifetime = now.MaxLifetime
	}
	if base.IdleAfter != now.IdleAfter {
		l.IdleAfter = now.IdleAfter
	}
	if base.ArchiveAfter != now.ArchiveAfter {
		l.ArchiveAfter = now.ArchiveAfter
	}
	if base.Retention != now.Retention {
		l.Retention = now.Retention
	}
	return l
}

func maxAge(q Quotas) int64 {
	if q.MaxSessionDurationMinutes == 0 {
		return rules.Never
	}
	return int64(q.MaxSessionDurationMinutes) * 60_000
}

// millisFromTime is the inverse of instant.
func millisFromTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
