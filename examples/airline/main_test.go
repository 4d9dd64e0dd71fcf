package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The program says what is in its data.
func TestAirline(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data.jsonl")
	const lines = `{"session":"a","user_id":"mia","reward":1.0,"messages":[{"role":"user","content":"hi"}]}
{"session":"b","user_id":null,"reward":0.0,"messages":[` +
		`{"role":"user","content":"hi"},{"role":"assistant","content":"hello"}]}
`
	if err := os.WriteFile(data, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	path := filepath.Join(t.TempDir(), "airline.db")
	if err := run(context.Background(), &out, data, path); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 sessions with 3 messages", "the 1 solved", "made 1 idle", "1  mia", "1  (none)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("does not say %q:\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "0 active, 1 idle, 1 archived, 0 terminated; 3 messages"); n != 2 {
		t.Errorf("says the end %d times, want before and after reopening:\n%s", n, out.String())
	}
	if err := run(context.Background(), &out, data, path); err == nil {
		t.Error("wrote into a file that was there")
	}
}
