package main

import (
	"testing"

	"github.com/seshatdb/seshat"
)

// Each status has a colour of its own, and a word without a colour is printed
// as it is.
func TestStatusesHaveColours(t *testing.T) {
	p := &printer{color: true}
	seen := map[string]seshat.Status{}
	for _, s := range seshat.Statuses() {
		c, ok := colors[s.String()]
		if !ok {
			t.Errorf("%v has no colour", s)
			continue
		}
		if other, taken := seen[c.EscapeSeq()]; taken {
			t.Errorf("%v has the colour of %v", s, other)
		}
		seen[c.EscapeSeq()] = s
		if got, want := p.cell(s.String()), paint(c, s.String()); got != want {
			t.Errorf("%v is printed as %q, want %q", s, got, want)
		}
	}
	if got := p.cell("plain"); got != "plain" {
		t.Errorf("a word without a colour is printed as %q", got)
	}
}
