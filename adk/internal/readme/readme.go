// Package readme replaces the generated parts of a Markdown file.
package readme

import (
	"fmt"
	"os"
	"strings"
)

// Replace puts text between the lines <!-- begin name --> and <!-- end name -->
// of the file at path.
func Replace(path, name, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin := "<!-- begin " + name + " -->\n"
	end := "<!-- end " + name + " -->\n"
	head, rest, found := strings.Cut(string(old), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no part %q", path, name)
	}
	return os.WriteFile(path, []byte(head+begin+text+end+tail), 0o644)
}
