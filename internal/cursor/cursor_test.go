package cursor

import (
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// Promise: a cursor stays what it was, as callers keep them, and nothing else
// is taken for one.
func TestCursor(t *testing.T) {
	hash := [8]byte{1, 2, 3, 4, 5, 6, 7, 8}
	at := driver.Position{At: 1_700_000_000_000, ID: "a/ü"}
	const text = "AQECAwQFBgcIAAABi8_laABhL8O8"
	if got := Encode(hash, at); got != text {
		t.Errorf("encoded as %s", got)
	}
	if got, wrong := Decode(hash, text); got != at || wrong != "" {
		t.Errorf("decoded as %+v, %s", got, wrong)
	}
	long := make([]byte, longest+1)
	for s, want := range map[string]string{
		string(long):              "is too long",
		"":                        "is not a cursor",
		text + "!":                "is not a cursor",
		"AQECAwQFBgcIAAABi8_laAA": "is not a cursor",
		"Ag" + text[2:]:           "is of another version",
		"AQAA" + text[4:]:         "belongs to another query",
		Encode(hash, driver.Position{At: -1, ID: "a"}): "is damaged",
	} {
		if _, wrong := Decode(hash, s); wrong != want {
			t.Errorf("%q: %s, want %s", s, wrong, want)
		}
	}
}
