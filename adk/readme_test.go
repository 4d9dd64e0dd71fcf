package adk_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/adk/adktest"
)

func TestTableOfTheReadmeHasAllCases(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range adktest.Cases() {
		if row := fmt.Sprintf("| %s: %s | yes | ", c.Group, c.Name); !strings.Contains(string(text), row) {
			t.Errorf("README.md has no row that begins with %q; run go run ./cmd/compare -write", row)
		}
	}
}
