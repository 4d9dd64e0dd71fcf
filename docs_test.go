package seshat_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
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

// The pages that state the default TTL state that of the code.
func TestPagesStateTheDefaultTTL(t *testing.T) {
	for _, page := range []string{"README.md", filepath.Join("adk", "README.md")} {
		stated := regexp.MustCompile(`(\d+) days after its last write`).FindAllStringSubmatch(readText(t, page), -1)
		if len(stated) == 0 {
			t.Errorf("%s does not state the default TTL", page)
		}
		for _, s := range stated {
			if want := strconv.Itoa(int(seshat.DefaultTTL.Hours() / 24)); s[1] != want {
				t.Errorf("%s states %q, DefaultTTL is %s days", page, s[0], want)
			}
		}
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
