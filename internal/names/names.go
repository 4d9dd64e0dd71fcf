// Package names tells what no id, name, user or label may hold.
package names

import "strings"

// Control returns where in s the first control character is (Unicode category
// Cc), or -1.
func Control(s string) int {
	for i := range len(s) {
		if s[i]-0x20 >= 0x7f-0x20 { // not printable ASCII, as nearly all is
			return strings.IndexFunc(s, IsControl)
		}
	}
	return -1
}

// IsControl reports whether r is a control character.
func IsControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }
