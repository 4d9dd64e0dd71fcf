package seshat_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/internal/fixture"
	"github.com/seshatdb/seshat/seshattest"
)

// formatV1 is the content of testdata/format_v1.db and the time at which the
// file must show it.
type formatV1 struct {
	now    time.Time
	secret string // of an API key
	shows  string
}

func readFormatV1(t *testing.T) formatV1 {
	t.Helper()
	text, err := os.ReadFile("testdata/format_v1.txt")
	must(t, err)
	lines := strings.SplitN(string(text), "\n", 3)
	now, err := time.Parse(time.RFC3339, strings.TrimPrefix(lines[0], "now: "))
	must(t, err)
	return formatV1{now, strings.TrimPrefix(lines[1], "secret: "), lines[2]}
}

// copyOfV1 copies the file, so that the original stays unchanged.
func copyOfV1(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("testdata/format_v1.db")
	must(t, err)
	path := filepath.Join(t.TempDir(), "seshat.db")
	must(t, os.WriteFile(path, content, 0o600))
	return path
}

func (f formatV1) open(t *testing.T, path string, readOnly bool) *seshat.Store {
	t.Helper()
	now := func() time.Time { return f.now }
	s, err := seshat.Open(path, seshat.Options{Now: now, SweepEvery: seshat.Never, ReadOnly: readOnly})
	seshattest.Adopt(t, s, err)
	return s
}

// shown fails the test if the store shows other content.
func (f formatV1) shown(t *testing.T, s *seshat.Store) {
	t.Helper()
	got, err := fixture.Dump(t.Context(), s, fixture.DumpOptions{})
	must(t, err)
	have, want := strings.Split(got, "\n"), strings.Split(f.shows, "\n")
	for i := range max(len(have), len(want)) {
		if i >= len(have) || i >= len(want) || have[i] != want[i] {
			t.Fatalf("line %d differs:\n%q\nwant\n%q", i+1, have[min(i, len(have)-1)], want[min(i, len(want)-1)])
		}
	}
	report, err := s.Check(t.Context())
	must(t, err)
	for _, f := range report.Findings {
		t.Errorf("check: %s: %s", f.Where, f.What)
	}
}

// Promise: every later version opens a file of format 1 and shows its whole
// content.
func TestFormatV1Opens(t *testing.T) {
	f, path := readFormatV1(t), copyOfV1(t)
	_, err := seshat.Verify(t.Context(), path)
	must(t, err)
	s := f.open(t, path, true)
	f.shown(t, s)
	key, err := s.Authenticate(t.Context(), f.secret)
	must(t, err)
	if !key.ReadOnly || key.OrganizationID != "int_ørg" {
		t.Errorf("the key reads as %+v", key)
	}
	must(t, s.Close())
	s = f.open(t, path, false)
	f.shown(t, s)
	report, err := s.Sweep(t.Context(), seshat.SweepOptions{})
	must(t, err)
	if report.Expired != 1 || report.Idled != 1 || report.Failed != 0 {
		t.Errorf("a sweep of the file: %+v", report)
	}
}

// Promise: this version can continue a file of format 1. It recognizes the
// appended messages and can change every session.
func TestFormatV1GoesOn(t *testing.T) {
	f := readFormatV1(t)
	s := f.open(t, copyOfV1(t), false)
	tenant, err := s.Tenant(t.Context(), seshat.Namespace{Name: "acme"})
	must(t, err)
	got, err := tenant.AppendTurn(t.Context(), "full", seshat.Turn{Messages: []seshat.Message{
		{ID: "m/1", Role: seshat.RoleUser, Content: "Find me a flight to Seattle.", Tokens: 7, Author: "mia"},
	}})
	if err != nil || !got.Repeated || got.First != 1 {
		t.Errorf("a message of the file, appended again: %+v, %v", got, err)
	}
	if _, err := tenant.Append(t.Context(), "s/", hello); !errors.Is(err, seshat.ErrLease) {
		t.Errorf("an append under another's lease: %v, want ErrLease", err)
	}
	changed := 0
	for session, err := range tenant.Sessions(t.Context(), seshat.Query{Statuses: []seshat.Status{
		seshat.StatusActive,
		seshat.StatusIdle,
	}}) {
		must(t, err)
		now, err := tenant.Update(t.Context(), session.ID, func(s *seshat.Session) error {
			s.Name = "changed"
			return nil
		},
			seshat.UpdateOptions{})
		must(t, err)
		if changed++; now.Version <= session.Version || now.Agent.Model != session.Agent.Model {
			t.Errorf("%s changed to %+v", session.ID, now)
		}
	}
	_, err = tenant.Append(t.Context(), "s", hello)
	must(t, err)
	report, err := s.Check(t.Context())
	must(t, err)
	if len(report.Findings) > 0 || changed < 8 {
		t.Errorf("%d sessions changed, findings: %v", changed, report.Findings)
	}
}

// Promise: a file of a newer format is refused and not changed.
func TestFormatNewerIsRefused(t *testing.T) {
	path := copyOfV1(t)
	renumber(t, path, 2)
	before, err := os.ReadFile(path)
	must(t, err)
	// By hand: it must not open.
	if s, err := seshat.Open(path, seshat.Options{}); !errors.Is(err, seshat.ErrFormat) {
		t.Errorf("format 2: %v, want ErrFormat", err)
		_ = s.Close()
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the refused file was changed")
	}
}

// renumber sets the number of the file's format. The number is the last 8 bytes
// of a sealed value, whose checksum covers its key and the bytes after the
// checksum.
func renumber(t *testing.T, path string, format uint64) {
	t.Helper()
	const sum, sumEnd = 4, 8
	db, err := bolt.Open(path, 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bolt.Tx) error {
		b, key := tx.Bucket([]byte("m")), []byte("format")
		v := bytes.Clone(b.Get(key))
		seal := func() uint32 {
			table := crc32.MakeTable(crc32.Castagnoli)
			return crc32.Update(crc32.Checksum(key, table), table, v[sumEnd:])
		}
		if n := binary.BigEndian.Uint64(v[len(v)-8:]); n != 1 || binary.BigEndian.Uint32(v[sum:]) != seal() {
			t.Fatalf("the file's format is written as %x", v)
		}
		binary.BigEndian.PutUint64(v[len(v)-8:], format)
		binary.BigEndian.PutUint32(v[sum:], seal())
		return b.Put(key, v)
	}))
	must(t, db.Close())
}
