// Package test checks this module's README: the tests in its list of promises
// exist, and the list covers every section of the package's documentation.
package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sources returns the text of the Go files below the repository's root whose
// names end with suffix.
func sources(t *testing.T, under, suffix string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(filepath.Join("..", under), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, suffix) {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	namedTest = regexp.MustCompile("`((?:Test|Fuzz)[^`]*)`")
	section   = regexp.MustCompile(`(?m)^// # (.+)$`)
)

// Promise: every test that the README names exists.
func TestEveryNamedTestExists(t *testing.T) {
	readme, tests, suite := read(t, "README.md"), sources(t, ".", "_test.go"), sources(t, "storetest", ".go")
	names := namedTest.FindAllStringSubmatch(readme, -1)
	if len(names) < 50 {
		t.Errorf("the README names %d tests", len(names))
	}
	for _, m := range names {
		parts := strings.SplitN(m[1], "/", 3)
		if !strings.Contains(tests, "func "+parts[0]+"(") {
			t.Errorf("there is no test %s", parts[0])
		}
		if len(parts) == 3 &&
			(!strings.Contains(suite, `{"`+parts[1]+`", `) || !strings.Contains(suite, `name: "`+parts[2]+`"`)) {
			t.Errorf("the conformance suite has no %s/%s", parts[1], parts[2])
		}
	}
}

// Promise: every section of the documentation has rows in the README's table.
// At least one of them names a promise of package storetest, which every engine
// must keep.
func TestEverySectionIsProvenOnEveryEngine(t *testing.T) {
	readme := read(t, "README.md")
	sections := section.FindAllStringSubmatch(read(t, "../doc.go"), -1)
	if len(sections) < 10 {
		t.Errorf("the documentation has %d sections", len(sections))
	}
	for _, m := range sections {
		rows, proven := 0, 0
		for line := range strings.SplitSeq(readme, "\n") {
			if !strings.HasPrefix(line, "| "+m[1]+" |") {
				continue
			}
			rows++
			if strings.Contains(line, "`TestStoreInFile/") {
				proven++
			}
			if !namedTest.MatchString(line) {
				t.Errorf("no test is named in the row %s", line)
			}
		}
		if rows == 0 || proven == 0 {
			t.Errorf("section %s has %d rows, %d of them with a promise of storetest", m[1], rows, proven)
		}
	}
}
