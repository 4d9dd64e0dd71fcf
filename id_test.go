package seshat

import (
	"strings"
	"testing"
	"unicode"
)

// Promise: Unicode control characters are found at any position.
func TestControlCharactersAreFoundAnywhere(t *testing.T) {
	for r := range rune(0x300) {
		want := unicode.Is(unicode.Cc, r)
		if isControl(r) != want {
			t.Errorf("isControl(%#x) is %v", r, !want)
		}
		for _, before := range []string{"", "a", "é", strings.Repeat("x ", 40)} {
			i := len(before)
			if !want {
				i = -1
			}
			if got := controlIndex(before + string(r) + "b"); got != i {
				t.Errorf("controlIndex finds %#x behind %q at %d", r, before, got)
			}
		}
	}
}
