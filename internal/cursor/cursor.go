// Package cursor is the text that a place in a list has for callers.
//
// It is, in base64url: a version byte, 8 bytes of a hash of the tenant and the
// query that it belongs to, the position as 8 big-endian bytes, and the session
// id.
package cursor

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/seshatdb/seshat/driver"
)

const (
	version = 1
	header  = 1 + 8 + 8
	longest = (header+driver.MaxName)*4/3 + 2
)

var encoding = base64.RawURLEncoding

// Encode returns the cursor of a place in the list that has this hash.
func Encode(hash [8]byte, at driver.Position) string {
	b := append([]byte{version}, hash[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(at.At))
	return encoding.EncodeToString(append(b, at.ID...))
}

// Decode is the inverse of Encode. wrong is empty, or says what s is instead of
// such a cursor. Whether the id is one is for the caller to check.
func Decode(hash [8]byte, s string) (at driver.Position, wrong string) {
	if len(s) > longest {
		return at, "is too long"
	}
	b, err := encoding.DecodeString(s)
	if err != nil || len(b) <= header {
		return at, "is not a cursor"
	}
	if b[0] != version {
		return at, "is of another version"
	}
	if [8]byte(b[1:9]) != hash {
		return at, "belongs to another query"
	}
	at = driver.Position{At: int64(binary.BigEndian.Uint64(b[9:])), ID: string(b[header:])}
	if at.At < 0 {
		wrong = "is damaged"
	}
	return at, wrong
}
