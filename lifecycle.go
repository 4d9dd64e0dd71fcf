package seshat

import (
	"fmt"
	"time"

	"github.com/seshatdb/seshat/internal/rules"
)

// Never is the duration of a deadline that is switched off.
const Never time.Duration = -1

// The defaults of [Lifecycle] that are not Never.
const (
	// DefaultTTL is the TTL of a session if the session, its namespace and the
	// store set none.
	DefaultTTL = 7 * 24 * time.Hour

	// DefaultRetention is the retention of a session if the session, its
	// namespace and the store set none.
	DefaultRetention = 7 * 24 * time.Hour
)

// Expiry is the start of a TTL.
type Expiry uint8

// The starts of a TTL.
const (
	ExpirySliding  Expiry = 1 // the last write or Touch; reads never extend it
	ExpiryAbsolute Expiry = 2 // the session's creation
)

// Lifecycle has the deadlines of a session. When a session is created, each
// zero field is taken from its namespace, then from [Options], then from the
// defaults below, and the result is stored with the session. [Never] switches a
// deadline off. Durations are rounded up to the millisecond.
type Lifecycle struct {
	// TTL is the time from the start that Expiry names until the session
	// expires. The default is [DefaultTTL].
	TTL time.Duration `json:"ttl,omitempty"`

	// Expiry is the start of the TTL. The default is ExpirySliding.
	Expiry Expiry `json:"expiry,omitempty"`

	// MaxLifetime is the longest time from a session's creation until it
	// expires, even if writes extend the session. The default is Never.
	MaxLifetime time.Duration `json:"max_lifetime,omitempty"`

	// IdleAfter is the time without activity after which an active session
	// becomes idle. The default is Never.
	IdleAfter time.Duration `json:"idle_after,omitempty"`

	// ArchiveAfter is the time that a session stays idle before it is archived.
	// The default is Never.
	ArchiveAfter time.Duration `json:"archive_after,omitempty"`

	// Retention is the time from a session's termination until it expires.
	// The default is [DefaultRetention].
	Retention time.Duration `json:"retention,omitempty"`
}

// defaultLifecycle has the defaults that Lifecycle documents.
var defaultLifecycle = Lifecycle{
	TTL:          DefaultTTL,
	Expiry:       ExpirySliding,
	MaxLifetime:  Never,
	IdleAfter:    Never,
	ArchiveAfter: Never,
	Retention:    DefaultRetention,
}

// inherit returns l with its zero fields taken from base.
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

// resolve returns a complete lifecycle in the form of package rules.
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

// lifecycleFromRules is the inverse of resolve.
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

// timeFromMillis returns stored milliseconds as a UTC time. 0 and rules.Never
// give the zero time.
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
//
// Errors: ErrInvalid for any other text.
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

// withEdits returns l with the fields that an edit from base to now changed.
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

// millisFromTime is the inverse of timeFromMillis.
func millisFromTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
