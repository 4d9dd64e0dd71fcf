package adk

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seshatdb/seshat"
)

// An ADK name may be any string. A name of the store has 1 to
// seshat.MaxNameBytes bytes of text without control characters. An allowed name
// that does not begin with the marker is used as it is. Any other name becomes
// the marker, an e, and the name with forbidden bytes as %XX. If that is too
// long, it becomes the marker, an h, and a SHA-256. So different names stay
// different.
const marker = "~"

// NamespaceName returns the name of the namespace of an app. It is the app's
// own name if the store allows it.
func NamespaceName(app string) string {
	if len(app) == len("ns_")+26 && strings.HasPrefix(app, "ns_") {
		return escape(app) // it looks like the id of a namespace
	}
	return encodeName(app)
}

// UserName returns the user_id of a user in the store. It is the user's own id
// if the store allows it.
func UserName(userID string) string { return encodeName(userID) }

// SessionID returns the id of a session in the namespace of its app: the length
// of the user's id in bytes, a colon, the user's id, a colon, and the session's
// own id. If that is too long or not allowed, it is escaped or hashed.
// Different sessions have different ids, whatever their names are.
func SessionID(userID, sessionID string) string {
	return encodeName(strconv.Itoa(len(userID)) + ":" + userID + ":" + sessionID)
}

// ParseSessionID is the inverse of [SessionID]. It returns false for an id that
// SessionID did not make, and for a hashed id; see [Names] for the latter.
func ParseSessionID(id string) (userID, sessionID string, ok bool) {
	name, ok := decodeName(id)
	if !ok {
		return "", "", false
	}
	length, rest, _ := strings.Cut(name, ":")
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n >= len(rest) || rest[n] != ':' || SessionID(rest[:n], rest[n+1:]) != id {
		return "", "", false
	}
	return rest[:n], rest[n+1:], true
}

func encodeName(name string) string {
	if fits(name) && !strings.HasPrefix(name, marker) {
		return name
	}
	if e := escape(name); len(e) <= seshat.MaxNameBytes {
		return e
	}
	sum := sha256.Sum256([]byte(name))
	return marker + "h" + hex.EncodeToString(sum[:])
}

// fits reports whether the store allows the name.
func fits(name string) bool {
	return name != "" && len(name) <= seshat.MaxNameBytes && utf8.ValidString(name) &&
		strings.IndexFunc(name, control) < 0
}

func control(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

func escape(name string) string {
	var b strings.Builder
	b.WriteString(marker + "e")
	for i, r := range name {
		_, n := utf8.DecodeRuneInString(name[i:])
		if r != '%' && !control(r) && !(r == utf8.RuneError && n == 1) {
			b.WriteString(name[i : i+n])
			continue
		}
		for _, c := range []byte(name[i : i+n]) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// decodeName is the inverse of encodeName, except for hashes.
func decodeName(s string) (string, bool) {
	rest, marked := strings.CutPrefix(s, marker)
	if !marked {
		return s, true
	}
	rest, escaped := strings.CutPrefix(rest, "e")
	if !escaped {
		return "", false
	}
	var b strings.Builder
	for {
		text, code, more := strings.Cut(rest, "%")
		b.WriteString(text)
		if !more {
			return b.String(), true
		}
		if len(code) < 2 {
			return "", false
		}
		c, err := strconv.ParseUint(code[:2], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(c))
		rest = code[2:]
	}
}

// Keys of a session's metadata for names that are hashed in its id.
const (
	userKey    = "adk_user_id"
	sessionKey = "adk_session_id"
)

// keepNames returns the metadata with the names that the session's id does not
// reveal, or nil.
func keepNames(userID, sessionID string) map[string]any {
	if _, _, ok := ParseSessionID(SessionID(userID, sessionID)); ok {
		return nil
	}
	return map[string]any{userKey: []byte(userID), sessionKey: []byte(sessionID)}
}

// Names returns ADK's ids of the user and the session of s. It returns false if
// ADK did not create the session.
func Names(s *seshat.Session) (userID, sessionID string, ok bool) {
	if userID, sessionID, ok = ParseSessionID(s.ID); ok {
		return userID, sessionID, true
	}
	m := s.Metadata.Map()
	user, _ := m[userKey].([]byte)
	id, _ := m[sessionKey].([]byte)
	return string(user), string(id), SessionID(string(user), string(id)) == s.ID
}
