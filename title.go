package seshat

import (
	"strings"
	"unicode/utf8"
)

// MaxSessionNameBytes bounds a session's name.
const MaxSessionNameBytes = 512

// defaultTitleRunes bounds a title that the store makes, in characters.
const defaultTitleRunes = 80

// firstLine is the default title: the first line of content that is not
// blank, shortened to 80 characters on a rune boundary.
func firstLine(content string) string {
	for line := range strings.Lines(content) {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" {
			continue
		}
		if utf8.RuneCountInString(line) <= defaultTitleRunes {
			return line
		}
		runes := []rune(line)
		return strings.TrimRight(string(runes[:defaultTitleRunes-1]), " ") + "…"
	}
	return ""
}

// title turns the result of Options.Title into a legal session name.
func title(name string) string {
	name = replaceControls(strings.ToValidUTF8(name, ""))
	for len(name) > MaxSessionNameBytes {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return strings.TrimSpace(name)
}

func checkSessionName(name string) *fieldError {
	if len(name) > MaxSessionNameBytes {
		return refuse("session_name", "has %d bytes; at most %d are allowed", len(name), MaxSessionNameBytes)
	}
	return checkText("session_name", name)
}
