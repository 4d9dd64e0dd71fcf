package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// The story ends as it should, and the file holds its end.
func TestQuickstart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agents.db")
	var first, again bytes.Buffer
	if err := run(context.Background(), &first, path); err != nil {
		t.Fatal(err)
	}
	const end = "\nThe file, opened again:\n" +
		"tenant  session  user  status    messages  expires       name\n" +
		"acme    refund   noah  idle      2         Mar  9 09:50  Where is my refund?\n" +
		"acme    survey   -     archived  1         Mar  9 09:00  I would like to take part in the survey.\n" +
		"acme    flight   mia   archived  4         Mar  9 09:00  Book me a flight to Seattle.\n"
	if !strings.HasSuffix(first.String(), end) {
		t.Errorf("got\n%s\nwant at its end\n%s", first.String(), end)
	}
	if err := run(context.Background(), &again, path); err != nil || again.String() != end {
		t.Errorf("a second run: %v\n%s\nwant\n%s", err, again.String(), end)
	}
}
