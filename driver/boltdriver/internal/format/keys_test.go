package format

import (
	"bytes"
	"cmp"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// name cuts s to what the store accepts as an id.
func name(s string) string {
	if s == "" {
		return "-"
	}
	return s[:min(len(s), driver.MaxNameBytes)]
}

// Every key is read back as it was made.
func FuzzKeysRoundTrip(f *testing.F) {
	f.Add(uint64(1), "ses_1", "mia", int64(1_700_000_000_000), uint8(0x41), "state")
	f.Add(uint64(1<<63), "a/b", "\x00\xff", int64(-1), uint8(0xff), "")
	f.Fuzz(func(t *testing.T, ns uint64, id, user string, at int64, kind uint8, entry string) {
		id, user = name(id), name(user)
		if k, ok := ParseRecordKey(AppendRecordKey(nil, ns, id)); !ok || k != (driver.Key{Namespace: ns, ID: id}) {
			t.Errorf("record: %v", k)
		}
		u := append(AppendTimeKey(AppendUserPrefix(nil, ns, user), at), id...)
		if n, gotUser, gotAt, gotID, ok := ParseUserKey(u); !ok || n != ns || string(gotUser) != user || gotAt != at ||
			string(gotID) != id {
			t.Errorf("user: %d %q %d %q", n, gotUser, gotAt, gotID)
		}
		if gotAt, gotID, ok := ParsePlace(AppendTimedKey(nil, ns, at, id)[8:]); !ok || gotAt != at ||
			string(gotID) != id {
			t.Errorf("timed: %d %q", gotAt, gotID)
		}
		if due, n, gotID, ok := ParseDueKey(AppendDueKey(nil, at, ns, id)); !ok || due != at || n != ns ||
			string(gotID) != id {
			t.Errorf("due: %d %d %q", due, n, gotID)
		}
		want := driver.EntryKey{Namespace: ns, Kind: kind, Owner: user, Name: entry}
		if got, ok := ParseEntryKey(AppendEntryKey(nil, &want)); !ok || got != want {
			t.Errorf("entry: %+v, want %+v", got, want)
		}
		var inc driver.Incarnation
		copy(inc[:], entry)
		if n, got, rest, ok := ParseLogPrefix(AppendMessageIDKey(nil, ns, inc, id)); !ok || n != ns || got != inc ||
			string(rest) != id {
			t.Errorf("ref: %d %x %q", n, got, rest)
		}
		if got, rec, ok := ParseOwnerKey(AppendOwnerKey(nil, inc, ns, []byte(id))); !ok || got != inc ||
			!bytes.Equal(rec, AppendRecordKey(nil, ns, id)) {
			t.Errorf("owner: %x %q", got, rec)
		}
	})
}

// Keys order as what they hold does, and no name is a prefix of another's data.
func FuzzKeysOrder(f *testing.F) {
	f.Add(int64(1), int64(2), "a", "ab", "b", "")
	f.Add(int64(-5), int64(3), "ab", "a", "", "x")
	f.Fuzz(func(t *testing.T, at1, at2 int64, user1, user2, id1, id2 string) {
		user1, user2, id1, id2 = name(user1), name(user2), name(id1), name(id2)
		want := cmp.Or(cmp.Compare(at1, at2), strings.Compare(id1, id2))
		if got := bytes.Compare(AppendTimedKey(nil, 7, at1, id1), AppendTimedKey(nil, 7, at2, id2)); got != want {
			t.Errorf("timed keys compare %d, want %d", got, want)
		}
		if got := bytes.Compare(AppendDueKey(nil, at1, 7, id1), AppendDueKey(nil, at2, 7, id2)); got != want {
			t.Errorf("due keys compare %d, want %d", got, want)
		}
		e1 := driver.EntryKey{Namespace: 7, Kind: 1, Owner: user1, Name: id1}
		e2 := driver.EntryKey{Namespace: 7, Kind: 1, Owner: user2, Name: id2}
		want = cmp.Or(cmp.Compare(len(user1), len(user2)), strings.Compare(user1, user2), strings.Compare(id1, id2))
		if got := bytes.Compare(AppendEntryKey(nil, &e1), AppendEntryKey(nil, &e2)); got != want {
			t.Errorf("entry keys compare %d, want %d", got, want)
		}
		if user1 != user2 && bytes.HasPrefix(
			append(AppendUserPrefix(nil, 7, user1), id1...), AppendUserPrefix(nil, 7, user2),
		) {
			t.Errorf("a key of %q lies below %q", user1, user2)
		}
	})
}

// after is the least key beyond all with the prefix.
func TestAfter(t *testing.T) {
	for _, c := range []struct{ prefix, want string }{
		{"a", "b"}, {"a\xff", "b"}, {"a\xfe", "a\xff"}, {"\xff\xff", ""},
	} {
		if got := PrefixEnd([]byte(c.prefix)); string(got) != c.want || (got == nil) != (c.want == "") {
			t.Errorf("after %q is %q, want %q", c.prefix, got, c.want)
		}
	}
}

// Keys that no builder makes are refused, not sliced out of their bounds.
func TestShortKeys(t *testing.T) {
	long := append(bytes.Repeat([]byte{0}, 8), 200, 1, 2)
	for n := range len(long) {
		k := long[:n]
		_, record := ParseRecordKey(k)
		_, _, _, _, user := ParseUserKey(k)
		_, _, _, due := ParseDueKey(k)
		_, entry := ParseEntryKey(k)
		_, _, _, log := ParseLogPrefix(k)
		_, _, owner := ParseOwnerKey(k)
		_, _, pair := ParseFeedKey(k)
		if user || due || log || owner || pair || record != (n > 8) || entry != (n > 10) {
			t.Errorf("a key of %d bytes was read", n)
		}
	}
}
