package names

import (
	"strings"
	"testing"
	"unicode"
)

// Promise: control characters are those of Unicode, found wherever they are.
func TestControl(t *testing.T) {
	for r := range rune(0x300) {
		want := unicode.Is(unicode.Cc, r)
		if IsControl(r) != want {
			t.Errorf("IsControl(%#x) is %v", r, !want)
		}
		for _, before := range []string{"", "a", "é", strings.Repeat("x ", 40)} {
			i := len(before)
			if !want {
				i = -1
			}
			if got := Control(before + string(r) + "b"); got != i {
				t.Errorf("Control finds %#x behind %q at %d", r, before, got)
			}
		}
	}
}
