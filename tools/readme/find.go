package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// command is a command line as a page shows it.
type command struct {
	page string // path of the README in the repository
	text string
}

// findCommands returns the commands of all README.md files that git tracks, in
// the order of the pages, each once for a page.
func findCommands(repository string) ([]command, error) {
	out, err := exec.Command("git", "-C", repository, "ls-files", "README.md", "*/README.md").Output()
	if err != nil {
		return nil, err
	}
	var all []command
	for page := range strings.Lines(string(out)) {
		page = strings.TrimSpace(page)
		text, err := os.ReadFile(filepath.Join(repository, page))
		if err != nil {
			return nil, err
		}
		for _, line := range commandsOf(string(text)) {
			c := command{page: page, text: line}
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

var (
	programs = regexp.MustCompile(`^(go|make|cd|seshat|curl|npm|export) `)
	inline   = regexp.MustCompile("`([^`\n]+)`")
)

// commandsOf returns the commands of a page: the lines of blocks marked sh,
// the lines after "$ " of blocks marked console, the lines of unmarked blocks
// that begin with a known program, and such code inside sentences.
func commandsOf(page string) []string {
	var found []string
	add := func(line string) {
		line, _, _ = strings.Cut(line, " # ")
		if line = strings.TrimSpace(line); line != "" {
			found = append(found, line)
		}
	}
	block := false
	mark := ""
	joined := ""
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\r\n")
		if rest, ok := strings.CutPrefix(line, "```"); ok {
			block = !block
			mark = rest
			continue
		}
		if !block {
			for _, m := range inline.FindAllStringSubmatch(line, -1) {
				if programs.MatchString(m[1]) {
					add(m[1])
				}
			}
			continue
		}
		if rest, ok := strings.CutSuffix(line, `\`); ok && mark == "sh" {
			joined += strings.TrimSpace(rest) + " "
			continue
		}
		line = joined + strings.TrimSpace(line)
		joined = ""
		prompted, isPrompted := strings.CutPrefix(line, "$ ")
		switch {
		case mark == "sh":
			add(line)
		case mark == "console" && isPrompted:
			add(prompted)
		case mark == "" && programs.MatchString(line):
			add(line)
		}
	}
	return found
}
