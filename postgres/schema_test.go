package postgres

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/seshatdb/seshat"
)

// newestViews returns the statement that makes each view, by the view's name,
// as they are after all migrations.
func newestViews() map[string]string {
	made := regexp.MustCompile(`^create (?:or replace )?view \{(\w+)\}`)
	dropped := regexp.MustCompile(`^drop view \{(\w+)\}`)
	views := map[string]string{}
	for _, migration := range migrations {
		for _, ddl := range migration(1) {
			if m := dropped.FindStringSubmatch(ddl); m != nil {
				delete(views, m[1])
			}
			if m := made.FindStringSubmatch(ddl); m != nil {
				views[m[1]] = ddl
			}
		}
	}
	return views
}

// The views of the newest version name each status. A new status needs a
// migration that makes them again.
func TestViewsNameEachStatus(t *testing.T) {
	views := newestViews()
	for _, s := range seshat.Statuses() {
		for view, want := range map[string]string{
			"session_list": fmt.Sprintf("when %d then '%v'", s, s),
			"usage_list":   fmt.Sprintf("sum(s%d)::bigint as %v", s, s),
		} {
			if !regexp.MustCompile(`\b` + regexp.QuoteMeta(want) + `(?:\W|$)`).MatchString(views[view]) {
				t.Errorf("the view %s does not say %q", view, want)
			}
		}
	}
}
