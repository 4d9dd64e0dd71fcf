package seshat_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/internal/rules"
)

// The handwritten texts about statuses agree with the table of package rules.
func TestStatusesAreDocumented(t *testing.T) {
	source := readText(t, "status.go")
	architecture := readText(t, "ARCHITECTURE.md")
	for _, from := range rules.Statuses() {
		name := seshat.Status(from).String()
		title := strings.ToUpper(name[:1]) + name[1:]
		constant := regexp.MustCompile(`(?m)^\tStatus` + title + ` += Status\(rules\.` + title + `\)$`)
		if !constant.MatchString(source) {
			t.Errorf("status.go has no constant of status %s", name)
		}
		row := regexp.MustCompile(`(?m)^//\t` + name + ` +→ (.*)$`).FindStringSubmatch(source)
		if row == nil {
			t.Errorf("the table in status.go has no row of %s", name)
			continue
		}
		for _, to := range rules.Statuses() {
			other := seshat.Status(to).String()
			listed := slices.Contains(regexp.MustCompile(`[a-z]+`).FindAllString(row[1], -1), other)
			if listed != rules.CanMove(from, to) {
				t.Errorf("the table in status.go: move from %s to %s: got %v, want %v", name, other, listed, !listed)
			}
			arrow := regexp.MustCompile(fmt.Sprintf(`(?m)^  %s --> %s\b`, name, other)).MatchString(architecture)
			if arrow != rules.CanMove(from, to) {
				t.Errorf("ARCHITECTURE.md: arrow from %s to %s: got %v, want %v", name, other, arrow, !arrow)
			}
		}
		if readOnly := strings.Contains(row[1], "read-only"); readOnly == from.Writable() {
			t.Errorf("the table in status.go: %s is read-only: got %v, want %v", name, readOnly, !readOnly)
		}
		if final := strings.Contains(row[1], "final"); final != from.Final() {
			t.Errorf("the table in status.go: %s is final: got %v, want %v", name, final, !final)
		}
		if !strings.Contains(readText(t, "README.md"), name) {
			t.Errorf("README.md does not name %s", name)
		}
	}
}
