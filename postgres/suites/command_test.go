//go:build unix

package suites

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The command line works on a store in PostgreSQL: its module's script needs a
// server, which is here.
func TestCommandLine(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "test", "-v", "-count=1", "-run=^TestScripts$/^database$", ".")
	cmd.Dir = "../../cmd/seshat"
	cmd.Env = append(os.Environ(), "SESHAT_TEST_POSTGRES="+database(t))
	out, err := cmd.CombinedOutput()
	if text := string(out); err != nil || !strings.Contains(text, "--- PASS: TestScripts/database") {
		t.Errorf("%v\n%s", err, text)
	}
}
