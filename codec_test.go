package seshat

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
	"github.com/seshatdb/seshat/internal/rules"
)

func mustDecode(t testing.TB, rec *driver.Record) *storedSession {
	t.Helper()
	s, err := decodeStoredSession(rec, "ns_1", "int_1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSessionRoundTrip proves that readers and writers get a session as it was
// stored, and that a writer's session does not share the record's labels.
func TestSessionRoundTrip(t *testing.T) {
	for seed := range uint64(200) {
		want := newRandom(seed).session()
		rec := record(want, encodeSession(nil, want))
		read, err := decodeSession(record(want, encodeSession(nil, want)), "ns_1", "int_1")
		if err != nil || !reflect.DeepEqual(read, &want.Session) {
			t.Fatalf("seed %d:\n%+v\nis read as\n%+v, %v", seed, want, read, err)
		}
		got := mustDecode(t, rec)
		clear(rec.Labels)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d:\n%+v\ncomes back as\n%+v", seed, want, got)
		}
	}
}

// TestToolsHaveNoRoomBehindThem proves that appending to the tools of a session
// does not write into other memory of it.
func TestToolsHaveNoRoomBehindThem(t *testing.T) {
	for n := range inlineTools + 2 {
		s := typical()
		s.Agent.AvailableTools = slices.Repeat([]string{"tool"}, n)
		got, err := decodeSession(record(s, encodeSession(nil, s)), "", "")
		if tools := got.Agent.AvailableTools; err != nil || len(tools) != n || cap(tools) != n {
			t.Errorf("%d tools are read as %d of %d, %v", n, len(tools), cap(tools), err)
		}
	}
}

// sessionElements is the documented layout, for the reference to write.
func sessionElements(s *storedSession) []any {
	c := &s.timeline
	never := func(ms int64) int64 {
		if ms == rules.Never {
			return 0
		}
		return ms
	}
	var temperature, tokens any
	if p := s.Agent.Temperature; p != nil {
		temperature = *p
	}
	if p := s.Agent.MaxTokens; p != nil {
		tokens = *p
	}
	tools := slices.Concat([]string{}, s.Agent.AvailableTools)
	q := s.Quotas
	l := c.Lifecycle
	o := s.chosenLifecycle
	return []any{
		1, s.Name, s.Agent.Model, temperature, tokens, s.Agent.SystemPrompt, tools,
		q.MaxMessages, q.MaxTokensTotal, q.MaxToolCalls, q.RateLimitMessagesPerMinute, q.MaxSessionDurationMinutes,
		documentBytes(s.UserMemory), documentBytes(s.Metadata), s.MemoryDisabled,
		millisFromTime(s.LastTransition.At), s.LastTransition.Reason, s.LastTransition.Actor,
		s.Stats.TotalMessages, s.Stats.TotalTokens, s.Stats.TotalToolCalls, s.latency.SumMS, s.latency.Count,
		s.updated, c.Active, c.Written, c.Terminated, c.StatusAt,
		never(l.TTL), l.Sliding, never(l.MaxLifetime), never(l.IdleAfter), never(l.ArchiveAfter), never(l.Retention),
		int64(o.TTL), int(o.Expiry), int64(o.MaxLifetime), int64(o.IdleAfter), int64(o.ArchiveAfter),
		int64(o.Retention),
		s.Parent.SessionID, s.Parent.Seq, s.rate.Minute, s.rate.Count, s.rate.Earlier,
		s.lease.Owner, s.lease.Token, s.lease.Expires, s.logEdits,
	}
}

func documentBytes(d Document) []byte {
	if d.IsZero() {
		return nil
	}
	return []byte(d.enc)
}

// referenceArray is an array as vmihailenco/msgpack writes it: in its shortest
// form, or with the width of each integer's type.
func referenceArray(t testing.TB, values []any, short bool) []byte {
	t.Helper()
	var b bytes.Buffer
	e := vmsgpack.NewEncoder(&b)
	e.UseCompactInts(short)
	if err := e.Encode(values); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSessionLayoutIsTheDocumentedOne proves that the library reads the layout
// and writes the same bytes, and that integers of any width are understood.
func TestSessionLayoutIsTheDocumentedOne(t *testing.T) {
	for seed := range uint64(50) {
		s := newRandom(seed).session()
		s.extra = ""
		body := encodeSession(nil, s)
		if want := referenceArray(t, sessionElements(s), true); !bytes.Equal(body, want) {
			t.Fatalf("seed %d: the reference writes\n%x, not\n%x", seed, want, body)
		}
		wide := mustDecode(t, record(s, referenceArray(t, sessionElements(s), false)))
		if again := encodeSession(nil, wide); !bytes.Equal(again, body) {
			t.Fatalf("seed %d: wide integers read as\n%x, not\n%x", seed, again, body)
		}
	}
}

// TestLaterFieldsSurvive proves that fields that a later version added survive
// a rewrite by this one.
func TestLaterFieldsSurvive(t *testing.T) {
	s := newRandom(3).session()
	s.extra = ""
	later := append(elements(t, encodeSession(nil, s)), "\x81\xa1k\x92\x01\x02", "\xc0", "\xd4\x05\x00")
	got := mustDecode(t, record(s, array(later)))
	got.Name = "changed"
	again := elements(t, encodeSession(nil, got))
	later[1] = string(msgpack.AppendText(nil, "changed"))
	if !slices.Equal(again, later) {
		t.Errorf("rewritten as\n%q, not\n%q", again, later)
	}
}

// TestEarlierFieldsAreZero proves that fields that an earlier version did not
// have read as zero.
func TestEarlierFieldsAreZero(t *testing.T) {
	s := newRandom(4).session()
	s.extra = ""
	all := elements(t, encodeSession(nil, s))
	none := elements(t, encodeSession(nil, mustDecode(t, record(s, []byte{0x91, bodyVersion}))))
	for n := 1; n <= len(all); n++ {
		got := mustDecode(t, record(s, array(all[:n])))
		if again := elements(t, encodeSession(nil, got)); !slices.Equal(again, slices.Concat(all[:n], none[n:])) {
			t.Fatalf("the first %d fields read as %q", n, again)
		}
	}
	blank := mustDecode(t, record(s, []byte{0x91, bodyVersion}))
	if l := blank.Lifecycle; l.TTL != Never || l.MaxLifetime != Never || blank.Name != "" ||
		blank.Agent.Temperature != nil {
		t.Errorf("no fields read as %+v", blank)
	}
}

// TestDamagedSessions proves that damage gives ErrCorrupt and a later layout
// ErrFormat, and neither a session.
func TestDamagedSessions(t *testing.T) {
	s := newRandom(5).session()
	body := encodeSession(nil, s)
	refuse := func(name string, want error, rec *driver.Record) {
		t.Helper()
		if got, err := decodeSession(rec, "", ""); !errors.Is(err, want) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for n := 0; n < len(body); n += 1 + n/64 {
		refuse("cut", ErrCorrupt, record(s, body[:n]))
	}
	refuse("longer", ErrCorrupt, record(s, append(slices.Clone(body), 0)))
	refuse("no layout", ErrCorrupt, record(s, []byte{0x91, 0}))
	refuse("empty", ErrCorrupt, record(s, []byte{0x90}))
	refuse("later layout", ErrFormat, record(s, []byte{0x92, bodyVersion + 1, 0xc1}))
	refuse("deep", ErrCorrupt, record(s, []byte("\x91"+strings.Repeat("\x91", 1<<20))))
	for _, status := range []uint8{0, 5, 255} {
		rec := record(s, body)
		rec.Status = status
		refuse("status", ErrCorrupt, rec)
	}
	rec := record(s, body)
	rec.NextSeq = 0
	refuse("number", ErrCorrupt, rec)
	for i, bad := range map[int][]byte{
		4: msgpack.AppendInt(nil, -1), 11: msgpack.AppendUint(nil, 1<<60), 28: msgpack.AppendInt(nil, -1),
		35: msgpack.AppendUint(nil, 256),
	} {
		parts := elements(t, body)
		parts[i] = string(bad)
		refuse("value out of range", ErrCorrupt, record(s, array(parts)))
	}
}

func FuzzDecodeSession(f *testing.F) {
	for _, enc := range seeds(func(r random) []byte { return encodeSession(nil, r.session()) }) {
		f.Add(enc)
	}
	f.Add([]byte{0x91, bodyVersion})
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff, bodyVersion})
	f.Fuzz(func(t *testing.T, body []byte) {
		rec := &driver.Record{Status: 1, NextSeq: 1, Body: body}
		read, wrong := decodeSession(rec, "", "")
		s, err := decodeStoredSession(rec, "", "")
		if (err == nil) != (wrong == nil) || err == nil && !reflect.DeepEqual(read, &s.Session) {
			t.Fatalf("read as %+v, %v; for writers %+v, %v", read, wrong, s, err)
		}
		if err != nil {
			if s != nil || read != nil || !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		first := encodeSession(nil, s)
		rec.Body = first
		if second := encodeSession(nil, mustDecode(t, rec)); !bytes.Equal(first, second) {
			t.Fatalf("written as %x, then as %x", first, second)
		}
	})
}

// TestSessionCodecAllocations proves that encoding allocates nothing, decoding
// for a write twice and for a read once.
func TestSessionCodecAllocations(t *testing.T) {
	s := typical()
	buf := encodeSession(nil, s)
	if n := testing.AllocsPerRun(100, func() { buf = encodeSession(buf[:0], s) }); n > 0 {
		t.Errorf("encoding allocates %v times", n)
	}
	rec := record(s, buf)
	if n := testing.AllocsPerRun(100, func() { s, _ = decodeStoredSession(rec, "", "") }); n > 2 {
		t.Errorf("decoding for a write allocates %v times", n)
	}
	var read *Session
	if n := testing.AllocsPerRun(100, func() { read, _ = decodeSession(rec, "", "") }); n > 1 || read.Name != s.Name {
		t.Errorf("decoding for a read allocates %v times", n)
	}
}

// TestNamespaceRoundTrip proves that a namespace comes back as it was stored,
// and shares no memory with the stored one.
func TestNamespaceRoundTrip(t *testing.T) {
	for seed := range uint64(200) {
		want := newRandom(seed).namespace()
		enc := encodeNamespace(want)
		got, err := decodeNamespace(enc)
		clear(enc)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v\n%+v\ncomes back as\n%+v", seed, err, want, got)
		}
	}
}

func TestNamespaceLayoutIsTheDocumentedOne(t *testing.T) {
	for seed := range uint64(50) {
		n := newRandom(seed).namespace()
		l := n.Lifecycle
		values := []any{
			1, n.ordinal, n.ID, n.Name, n.OrganizationID, millisFromTime(n.CreatedAt), millisFromTime(n.UpdatedAt),
			int64(l.TTL), int(l.Expiry), int64(l.MaxLifetime), int64(l.IdleAfter), int64(l.ArchiveAfter),
			int64(l.Retention),
			n.Quotas.MaxSessions, n.Quotas.MaxMessages, n.Quotas.MaxBytes,
		}
		enc := encodeNamespace(n)
		if want := referenceArray(t, values, true); !bytes.Equal(enc, want) {
			t.Fatalf("seed %d: the reference writes\n%x, not\n%x", seed, want, enc)
		}
		if wide, err := decodeNamespace(referenceArray(t, values, false)); err != nil || !reflect.DeepEqual(wide, n) {
			t.Fatalf("seed %d: wide integers read as %+v, %v", seed, wide, err)
		}
	}
}

func TestNamespacesOfOtherVersions(t *testing.T) {
	all := elements(t, encodeNamespace(newRandom(9).namespace()))
	blank := elements(t, encodeNamespace(&Namespace{}))
	for n := 1; n <= len(all); n++ {
		ns, err := decodeNamespace(array(all[:n]))
		if err != nil {
			t.Fatal(err)
		}
		if again := elements(t, encodeNamespace(ns)); !slices.Equal(again, slices.Concat(all[:n], blank[n:])) {
			t.Fatalf("the first %d fields read as %q", n, again)
		}
	}
	later := append(all, "\x81\xa1k\x01", "\xc3")
	ns, err := decodeNamespace(array(later))
	if err != nil {
		t.Fatal(err)
	}
	if again := elements(t, encodeNamespace(ns)); !slices.Equal(again, later) {
		t.Errorf("later fields become %q", again)
	}
	if _, err := decodeNamespace([]byte{0x92, bodyVersion + 1, 0xc1}); !errors.Is(err, ErrFormat) {
		t.Errorf("later layout: %v", err)
	}
}

func FuzzDecodeNamespace(f *testing.F) {
	for _, enc := range seeds(func(r random) []byte { return encodeNamespace(r.namespace()) }) {
		f.Add(enc)
	}
	f.Add([]byte{})
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff, bodyVersion})
	f.Fuzz(func(t *testing.T, enc []byte) {
		n, err := decodeNamespace(enc)
		if err != nil {
			if n != nil || !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
				t.Fatalf("%v, %v", n, err)
			}
			return
		}
		first := encodeNamespace(n)
		again, err := decodeNamespace(first)
		if err != nil {
			t.Fatal(err)
		}
		if second := encodeNamespace(again); !bytes.Equal(first, second) {
			t.Fatalf("written as %x, then as %x", first, second)
		}
	})
}
