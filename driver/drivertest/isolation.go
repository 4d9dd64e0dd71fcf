package drivertest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seshatdb/seshat/driver"
)

var isolationChecks = []check{
	{name: "sessions with adversarial ids stay apart", run: checkIDs},
	{name: "users with adversarial names stay apart", run: checkUsers},
	{name: "labels with adversarial names stay apart", run: checkLabelNames},
	{name: "message ids stay in their session", run: checkMessageIDs},
	{name: "entries with adversarial owners and names stay apart", run: checkOwners},
	{name: "an id that is too long is no other id", run: checkLongIDs},
	{name: "removing one leaves all others", run: checkRemoveAmong},
	{name: "erasing one leaves all others", run: checkEraseAmong},
}

// spaces are namespaces whose ordinals share bytes and digits.
var spaces = []uint64{1, 2, 11, 255, 256, 257, 0x0100_0000, 1<<32 | 1}

// names are names that a careless encoding of keys confuses: prefixes,
// separators, lengths as text or bytes, letters of many scripts, and the
// longest name.
var names = append([]string{
	"a", "ab", "aa", "b", "A", "1", "11", "a/b", "a/", "/a", "/", "a//b", "..", ".", "../a", "a.b", "a b", " a", "a ",
	" ",
	"a:b", "a\\b", "a|b", "a%00b", "a%", "a_", "%", "_", "*", "a*", "a'b", `a"b`, "null", "-1", "ns_a", "ses_a",
	"é", "e\u0301", "日本", "日", "عرب", "\U0010FFFF", "a\U0010FFFF", "\uFFFD", "\u0080", "\u200b", "ÿ",
}, longNames()...)

func longNames() []string {
	long := strings.Repeat("a", driver.MaxNameBytes)
	return []string{
		long, long[:driver.MaxNameBytes-1], long[:driver.MaxNameBytes-1] + "b",
		strings.Repeat("\U0010FFFF", driver.MaxNameBytes/4),
	}
}

// raw are names that are allowed only for owners and names of entries.
var raw = []string{"\x00", "\x00\x00", "a\x00", "\x00a", "\xff", "\xff\xff", "a\xff", "\x01", "\x01a", "\x7f", "\x80"}

// populate creates a record for every id in every namespace, in a few commits.
func (e *env) populate(edit func(r *driver.Record, i int)) map[driver.Key]*driver.Record {
	records := make(map[driver.Key]*driver.Record)
	for _, n := range spaces {
		var ops []*driver.Op
		for i, id := range names {
			r := e.record(key(n, id))
			r.Body = fmt.Appendf(nil, "%d %s", n, id)
			r.Bytes = uint64(len(r.Body))
			edit(r, i)
			records[r.Key] = r
			ops = append(ops, e.op(r.Key, driver.Change{Put: r}))
		}
		e.must(e.d.Mutate(e.ctx, ops...))
	}
	return records
}

// expectStored fails unless the driver holds exactly these records.
func (e *env) expectStored(records map[driver.Key]*driver.Record) {
	for _, n := range spaces {
		var want []string
		for _, id := range names {
			r := records[key(n, id)]
			e.equal("Get", e.get(key(n, id)), r)
			if r != nil {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		e.equal("List", e.ids(driver.Query{Namespace: n}), want)
		e.equal("Count", e.count(driver.Query{Namespace: n}).Sessions[0], len(want))
	}
}

func checkIDs(e *env) {
	e.expectStored(e.populate(func(*driver.Record, int) {}))
	e.equal("an empty namespace", e.ids(driver.Query{Namespace: 3}), []string{})
}

func checkUsers(e *env) {
	e.populate(func(r *driver.Record, i int) { r.UserID = names[len(names)-1-i] })
	for _, n := range spaces {
		for i, user := range names {
			want := []string{names[len(names)-1-i]}
			e.equal("List of a user", e.ids(driver.Query{Namespace: n, UserID: user}), want)
			e.equal("Count of a user", e.count(driver.Query{Namespace: n, UserID: user}).Sessions[0], 1)
		}
	}
}

func checkLabelNames(e *env) {
	e.populate(func(r *driver.Record, i int) {
		r.Labels = []driver.Label{{Name: names[i], Value: "v"}, {Name: replaceFirstLetter(names[i]), Value: names[i]}}
		if r.Labels[0].Name >= r.Labels[1].Name {
			r.Labels[0], r.Labels[1] = r.Labels[1], r.Labels[0]
		}
	})
	for i, name := range names {
		q := driver.Query{Namespace: spaces[i%len(spaces)], Labels: []driver.Label{{Name: name, Value: "v"}}}
		e.equal("List by label name", e.ids(q), []string{name})
		q.Labels = []driver.Label{{Name: replaceFirstLetter(name), Value: name}}
		e.equal("List by label value", e.ids(q), []string{name})
		q.Labels = []driver.Label{{Name: name, Value: "w"}}
		e.equal("List by another value", e.ids(q), []string{})
	}
}

// replaceFirstLetter returns name with its first letter replaced.
func replaceFirstLetter(name string) string {
	_, n := utf8.DecodeRuneInString(name)
	return "~" + name[n:]
}

func checkMessageIDs(e *env) {
	a := e.record(key(1, "a"))
	b := e.record(key(1, "ab"))
	var ms []driver.Message
	for i, id := range names {
		ms = append(ms, message(uint64(i+1), id, "x"))
	}
	for i, r := range []*driver.Record{a, b} {
		part := ms[:len(ms)/2]
		if i == 1 {
			part = ms[len(ms)/2:]
		}
		r.NextSeq, r.Messages, r.Bytes = uint64(len(ms)+1), uint64(len(part)), r.Bytes+uint64(len(part))
		e.change(r.Key, driver.Change{Put: r, Append: part})
	}
	for i, ref := range e.view(driver.Target{Key: a.Key, MessageIDs: names}).Refs {
		e.equal("found in a: "+names[i], ref.Found, i < len(ms)/2)
	}
	for i, ref := range e.view(driver.Target{Key: b.Key, MessageIDs: names}).Refs {
		want := driver.Ref{Found: true, Seq: ms[i].Seq, Digest: ms[i].Digest}
		if i < len(ms)/2 {
			want = driver.Ref{}
		}
		e.equal("ref in ab: "+names[i], ref, want)
	}
}

// checkOwners writes an entry for every pair of a short owner and a short name.
// Many pairs have the same concatenation.
func checkOwners(e *env) {
	parts := append(slices.Clone(raw), "", "a", "ab", "b", "/", "a/", "/a", strings.Repeat("\xff", driver.MaxNameBytes))
	for _, kind := range []uint8{kindPlain, kindUser} {
		var entries []driver.Entry
		for _, owner := range parts {
			for _, name := range parts {
				k := driver.EntryKey{Namespace: 1, Kind: kind, Owner: owner, Name: name + "."}
				entries = append(entries,
					driver.Entry{EntryKey: k, Value: fmt.Appendf(nil, "%d %q %q", kind, owner, name)})
			}
		}
		e.change(key(1, ""), driver.Change{Entries: entries})
	}
	for _, owner := range parts {
		got := e.entries(driver.EntryQuery{Namespace: 1, Kind: kindUser, Owner: owner})
		e.equal("entries of one owner", len(got), len(parts))
		for _, g := range got {
			name, _ := strings.CutSuffix(g.Name, ".")
			e.equal("owner", g.Owner, owner)
			e.equal("value", g.Value, fmt.Appendf(nil, "%d %q %q", kindUser, owner, name))
		}
	}
	e.equal("another namespace", e.names(driver.EntryQuery{Namespace: 256, Kind: kindPlain, AllOwners: true}),
		[]string{})
}

// checkLongIDs looks up ids whose length has the same lowest byte as the length
// of a stored id.
func checkLongIDs(e *env) {
	for _, n := range []int{1, 2, 44, driver.MaxNameBytes} {
		e.create(key(1, strings.Repeat("a", n)))
	}
	for _, n := range []int{
		driver.MaxNameBytes + 1, 256 + 1, 256 + 2, 256 + 44, 256 + driver.MaxNameBytes, 1 << 16,
		1<<16 + 1,
	} {
		var r driver.Record
		err := e.d.Get(e.ctx, key(1, strings.Repeat("a", n)), start, &r)
		e.isError(err, driver.ErrNotFound, driver.ErrInvalid)
	}
	e.isError(e.d.Get(e.ctx, key(1, ""), start, &driver.Record{}), driver.ErrNotFound, driver.ErrInvalid)
}

func checkRemoveAmong(e *env) {
	records := e.populate(func(r *driver.Record, i int) { r.UserID = names[i] })
	for i, n := range spaces {
		for j, id := range names {
			if (i+j)%2 == 0 {
				e.change(key(n, id), driver.Change{Remove: true})
				delete(records, key(n, id))
			}
		}
	}
	e.reclaim(50)
	e.expectStored(records)
}

func checkEraseAmong(e *env) {
	records := e.populate(func(r *driver.Record, i int) { r.UserID = names[i] })
	erase := func(n uint64, user string) {
		e.change(driver.Key{}, driver.Change{Erase: &driver.Erasure{Namespace: n, UserID: user}})
		for k, r := range records {
			if k.Namespace == n && (user == "" || r.UserID == user) {
				delete(records, k)
			}
		}
	}
	for i, user := range names {
		erase(spaces[i%len(spaces)], user)
	}
	erase(spaces[1], "")
	erase(spaces[5], "")
	e.expectStored(records)
	e.reclaim(50)
	e.expectStored(records)
}
