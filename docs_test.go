package seshat_test

import (
	"errors"
	"fmt"
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

// inUnits writes a number of bytes as pages do.
func inUnits(n int) string {
	switch {
	case n%(1<<20) == 0:
		return strconv.Itoa(n>>20) + " MiB"
	case n%(1<<10) == 0:
		return strconv.Itoa(n>>10) + " KiB"
	}
	return strconv.Itoa(n) + " bytes"
}

// The limits that the pages state are the constants.
func TestPagesStateTheLimits(t *testing.T) {
	const page = seshat.MaxPage
	if page != seshat.MaxHistory {
		t.Error("pages of lists and of logs have different limits; README.md states one")
	}
	readme := []string{
		fmt.Sprintf("ids, users, names of namespaces, labels and their values | 1 to %s of UTF-8 ",
			inUnits(seshat.MaxNameBytes)),
		fmt.Sprintf("a session's name | %s |", inUnits(seshat.MaxSessionNameBytes)),
		fmt.Sprintf("user memory, metadata | %s each, %d levels |",
			inUnits(seshat.MaxDocumentBytes), seshat.MaxDocumentDepth),
		fmt.Sprintf("labels | %d a session |", seshat.MaxLabels),
		fmt.Sprintf("message | %s of content, %s of payload; %d messages or %s a turn |",
			inUnits(seshat.MaxContentBytes), inUnits(seshat.MaxPayloadBytes), seshat.MaxTurnMessages,
			inUnits(seshat.MaxTurnBytes)),
		fmt.Sprintf("state of one session, user or namespace | %d keys and %s |",
			seshat.MaxStateKeys, inUnits(seshat.MaxStateBytes)),
		fmt.Sprintf("a page of a list or of a log | %d sessions or messages |", page),
	}
	_, table, _ := strings.Cut(readText(t, "README.md"), "\n## Limits\n\n| what | limit |\n|---|---|\n")
	rows := strings.Split(table, "\n")
	for i, want := range append(readme, "") {
		if i >= len(rows) || !strings.HasPrefix(strings.TrimPrefix(rows[i], "| "), want) || want == "" &&
			rows[i] != "" {
			t.Errorf("row %d of the limits in README.md is not %q", i+1, want)
		}
	}
	adk := fmt.Sprintf("a value %s, a scope %s, and an event %s of JSON",
		inUnits(seshat.MaxDocumentBytes), inUnits(seshat.MaxStateBytes), inUnits(seshat.MaxPayloadBytes))
	if !strings.Contains(readText(t, filepath.Join("adk", "README.md")), adk) {
		t.Errorf("adk/README.md does not state %q", adk)
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
