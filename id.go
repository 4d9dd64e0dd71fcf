package seshat

import (
	"crypto/rand"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"github.com/seshatdb/seshat/driver"
)

// MaxNameBytes is the length in bytes of the longest id, name, user or label.
const MaxNameBytes = driver.MaxNameBytes

// Prefixes of generated ids; a ULID follows.
const (
	sessionPrefix   = "ses_"
	namespacePrefix = "ns_"
	messagePrefix   = "msg_"
)

// newULID returns a ULID of the time ms with 80 bits from crypto/rand.
func newULID(ms int64) (u ulid.ULID) {
	// SetTime fails after the year 10889; the random part is enough then.
	_ = u.SetTime(uint64(ms))
	_, _ = rand.Read(u[6:]) // never fails
	return u
}

// NewSessionID returns a new id, as Create generates them: "ses_" and a ULID.
func NewSessionID() string { return sessionPrefix + newULID(time.Now().UnixMilli()).String() }

// checkName accepts ids, names, users and labels: 1 to MaxNameBytes bytes of
// valid UTF-8 without control characters.
func checkName(field, s string) *fieldError {
	switch {
	case s == "":
		return refuse(field, "is empty; 1 to %d bytes are allowed", MaxNameBytes)
	case len(s) > MaxNameBytes:
		return refuse(field, "has %d bytes; 1 to %d are allowed", len(s), MaxNameBytes)
	}
	return checkText(field, s)
}

// checkText refuses invalid UTF-8 and control characters (Unicode category Cc).
func checkText(field, s string) *fieldError {
	if e := checkUTF8(field, s); e != nil {
		return e
	}
	if i := controlIndex(s); i >= 0 {
		return refuse(field, "has a control character at byte %d; none are allowed", i)
	}
	return nil
}

func checkUTF8(field, s string) *fieldError {
	if !utf8.ValidString(s) {
		return refuse(field, "is not valid UTF-8; UTF-8 is required")
	}
	return nil
}

// checkOptional is checkName for a name that may be empty.
func checkOptional(field, s string) *fieldError {
	if s == "" {
		return nil
	}
	return checkName(field, s)
}

// isNamespaceID reports whether s has the form of a namespace's id.
func isNamespaceID(s string) bool {
	rest, ok := strings.CutPrefix(s, namespacePrefix)
	if !ok {
		return false
	}
	_, err := ulid.ParseStrict(rest)
	return err == nil
}

// controlIndex returns the index of the first control character (Unicode
// category Cc) in s, or -1.
func controlIndex(s string) int {
	for i := range len(s) {
		if s[i]-0x20 >= 0x7f-0x20 { // not printable ASCII, which is rare
			return strings.IndexFunc(s, isControl)
		}
	}
	return -1
}

// replaceControls returns s with a space for each control character.
func replaceControls(s string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, s)
}

// isControl reports whether r is a control character.
func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }
