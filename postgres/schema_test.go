package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
)

// The views name each status.
func TestViewsNameEachStatus(t *testing.T) {
	ddl := strings.Join(second(1), "\n")
	for _, s := range seshat.Statuses() {
		for _, want := range []string{
			fmt.Sprintf("when %d then '%v'", s, s),
			fmt.Sprintf("sum(s%d)::bigint as %v", s, s),
		} {
			if !strings.Contains(ddl, want) {
				t.Errorf("no view says %q", want)
			}
		}
	}
}
