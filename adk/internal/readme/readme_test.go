package readme

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplaceKeepsTheRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	const before = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, "y", "new\n"); err == nil {
		t.Error("a part that is not there: no error")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != before {
		t.Errorf("after a failure: got %q, error %v", got, err)
	}
	if err := Replace(path, "x", "new\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "a\n<!-- begin x -->\nnew\n<!-- end x -->\nb\n" {
		t.Errorf("got %q, error %v", got, err)
	}
}
