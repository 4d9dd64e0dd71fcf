package seshat_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The key diagram of ARCHITECTURE.md is that of the code.
func TestArchitectureShowsTheKeys(t *testing.T) {
	page := readText(t, "ARCHITECTURE.md")
	code := readText(t, filepath.Join("driver", "boltdriver", "internal", "format", "keys.go"))
	rows := regexp.MustCompile(`(?m)^//\t(\S.*)$`).FindAllStringSubmatch(code, -1)
	if len(rows) < 10 {
		t.Fatalf("found only %d rows in keys.go", len(rows))
	}
	for _, row := range rows {
		if !strings.Contains(page, "\n"+row[1]+"\n") {
			t.Errorf("ARCHITECTURE.md lacks %q", row[1])
		}
	}
}

// The program of the README is examples/hello, which is compiled and tested.
func TestReadmeShowsTheProgramOfExamplesHello(t *testing.T) {
	program := readText(t, filepath.Join("examples", "hello", "main.go"))
	if !strings.Contains(readText(t, "README.md"), "\n```go\n"+program+"```\n") {
		t.Error("README.md does not show examples/hello/main.go as it is")
	}
}

// Links of the pages to files of the project lead somewhere.
func TestLinksOfThePages(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	must(t, err)
	for _, page := range pages {
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(readText(t, page), -1) {
			if _, err := os.Stat(filepath.FromSlash(link[1])); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %s is not there", page, link[1])
			}
		}
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}
