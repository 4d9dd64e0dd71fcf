package drivertest

import (
	"slices"

	"github.com/seshatdb/seshat/driver"
)

var entryChecks = []check{
	{name: "put, replace, delete", run: checkEntryWrites},
	{name: "names are in the order of their bytes", run: checkEntryOrder},
	{name: "pages of one owner and of all", run: checkEntryPages},
	{name: "a name may be empty", run: checkEmptyName},
	{name: "a session's entries belong to its incarnation", run: checkSessionEntries},
	{name: "the entries of others outlive a session", run: checkEntriesOutlive},
}

// entry returns an entry of kindPlain in namespace 1. A nil value deletes it.
func entry(owner, name string, value []byte) driver.Entry {
	return driver.Entry{
		EntryKey: driver.EntryKey{Namespace: 1, Kind: kindPlain, Owner: owner, Name: name},
		Value:    value,
	}
}

func checkEntryWrites(e *env) {
	a := entry("", "a", []byte("1"))
	b := entry("o", "a", []byte{})
	e.change(driver.Key{}, driver.Change{Entries: []driver.Entry{a, b, entry("", "absent", nil)}})
	q := driver.EntryQuery{Namespace: 1, Kind: kindPlain, AllOwners: true}
	e.equal("entries", e.entries(q), []driver.Entry{a, b})
	v := e.view(driver.Target{Entries: []driver.EntryKey{b.EntryKey, entry("", "absent", nil).EntryKey}})
	e.equal("an empty value is one", v.Entries, [][]byte{{}, nil})
	a.Value = []byte("22")
	e.change(driver.Key{},
		driver.Change{Entries: []driver.Entry{
			entry("", "a", nil), a, entry("o", "a", []byte("x")),
			entry("o", "a", nil),
		}})
	e.equal("entries", e.entries(q), []driver.Entry{a})
	e.equal("the same name of another kind",
		e.names(driver.EntryQuery{Namespace: 1, Kind: kindPlain + 1, AllOwners: true}), []string{})
	e.equal("in another namespace", e.names(driver.EntryQuery{Namespace: 2, Kind: kindPlain, AllOwners: true}),
		[]string{})
	e.equal("in the store", e.names(driver.EntryQuery{Kind: kindPlain, AllOwners: true}), []string{})
}

func checkEntryOrder(e *env) {
	parts := slices.Concat(names, raw)
	var entries []driver.Entry
	for _, name := range parts {
		entries = append(entries, entry("o", name, []byte(name)))
	}
	e.change(driver.Key{}, driver.Change{Entries: entries})
	slices.Sort(parts)
	q := driver.EntryQuery{Namespace: 1, Kind: kindPlain, Owner: "o"}
	e.equal("names", e.names(q), parts)
	for i, name := range parts {
		q.Name = name
		q.After = ""
		e.equal("one name", e.names(q), []string{name})
		q.Name = ""
		q.After = name
		e.equal("names after one", e.names(q), parts[i+1:])
	}
}

// checkEntryPages reads all entries in pages of every size.
func checkEntryPages(e *env) {
	owners := []string{"", "a", "b", "\xff", "aa", "ab", "\xff\x00", "aaa"} // ordered by length, then bytes
	var want []driver.Entry
	for _, owner := range owners {
		for _, name := range []string{"\x00", "a", "a\xff", "b"} {
			want = append(want, entry(owner, name, []byte(owner+name)))
		}
	}
	e.change(driver.Key{}, driver.Change{Entries: slices.Clone(want)})
	for limit := 1; limit < 7; limit++ {
		q := driver.EntryQuery{Namespace: 1, Kind: kindPlain, AllOwners: true, Limit: limit}
		var got []driver.Entry
		for page := e.entries(q); len(page) > 0; page = e.entries(q) {
			e.isTrue(len(page) <= limit && len(got) < len(want), "too many entries")
			got = append(got, page...)
			last := page[len(page)-1]
			q.Owner = last.Owner
			q.After = last.Name
		}
		e.equal("pages", got, want)
	}
	q := driver.EntryQuery{Namespace: 1, Kind: kindPlain, AllOwners: true, Owner: "aa"}
	e.equal("from an owner on", e.entries(q), want[4*4:])
	q.Owner = ""
	q.Name = "a"
	e.equal("one name of all owners", len(e.entries(q)), len(owners))
}

func checkEmptyName(e *env) {
	want := []driver.Entry{
		entry("", "", []byte("1")), entry("", "a", []byte("2")), entry("o", "", []byte("3")),
		entry("o", "a", []byte("4")),
	}
	e.change(driver.Key{}, driver.Change{Entries: slices.Clone(want)})
	q := driver.EntryQuery{Namespace: 1, Kind: kindPlain}
	e.equal("of no owner", e.entries(q), want[:2])
	q.AllOwners = true
	e.equal("of every owner", e.entries(q), want)
	q.Owner = "o"
	e.equal("from an owner on", e.entries(q), want[2:])
	q.After = "a"
	e.equal("after the last", e.names(q), []string{})
}

func checkSessionEntries(e *env) {
	r := e.record(key(1, "a"))
	k := driver.EntryKey{Namespace: 1, Kind: kindSession, Name: "n"}
	e.change(r.Key, driver.Change{Put: r, Entries: []driver.Entry{{EntryKey: k, Value: []byte("with Put")}}})
	other := e.create(key(1, "b"))
	e.change(other.Key, driver.Change{Entries: []driver.Entry{{EntryKey: k, Value: []byte("found")}}})
	for _, s := range []struct {
		r     *driver.Record
		value string
	}{{r, "with Put"}, {other, "found"}} {
		want := driver.Entry{EntryKey: k, Value: []byte(s.value)}
		want.Owner = string(s.r.Incarnation[:])
		e.equal("entries", e.entries(driver.EntryQuery{Namespace: 1, Kind: kindSession, Owner: want.Owner}),
			[]driver.Entry{want})
		v := e.view(driver.Target{Key: s.r.Key, Entries: []driver.EntryKey{k}})
		e.equal("view", v.Entries, [][]byte{want.Value})
	}
	renewed := e.record(r.Key)
	e.change(r.Key, driver.Change{Put: renewed, Entries: []driver.Entry{{EntryKey: k, Value: []byte("renewed")}}})
	got := e.entries(driver.EntryQuery{Namespace: 1, Kind: kindSession, AllOwners: true})
	e.equal("owners", len(got), 2)
	e.equal("the new incarnation's", e.view(driver.Target{Key: r.Key, Entries: []driver.EntryKey{k}}).Entries,
		[][]byte{[]byte("renewed")})
	e.change(r.Key, driver.Change{Entries: []driver.Entry{{EntryKey: k}}})
	e.equal("deleted", e.view(driver.Target{Key: r.Key, Entries: []driver.EntryKey{k}}).Entries, [][]byte{nil})
}

func checkEntriesOutlive(e *env) {
	r := e.furnish(1)
	e.change(r.Key, driver.Change{Remove: true})
	e.reclaim(10)
	for i, kind := range kinds {
		e.equal("entries", len(e.entries(driver.EntryQuery{Namespace: 1, Kind: kind, AllOwners: true})),
			[]int{1, 1, 0}[i])
	}
}
