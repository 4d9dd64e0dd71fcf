package drivertest

import (
	"errors"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

var checkerChecks = []check{
	{name: "the visitor sees everything once", run: checkVisited},
	{name: "what the visitor returns is a finding", run: checkVisitorFinds},
	{name: "a record that miscounts its log is found", run: checkMiscount},
}

// checker returns the driver as a Checker, or nil if the driver does not
// implement it. Checks that need a Checker pass if it is nil.
func (e *env) checker() driver.Checker {
	c, _ := e.d.(driver.Checker)
	return c
}

func checkVisited(e *env) {
	if e.checker() == nil {
		return
	}
	e.furnish(1)
	e.furnish(2)
	var records, entries []string
	logs := make(map[driver.Key][]driver.Message)
	got, err := e.checker().Check(e.ctx, 10, driver.Visitor{
		Record: func(r *driver.Record) error {
			records = append(records, showRecord(r))
			return nil
		},
		Message: func(k driver.Key, m *driver.Message) error {
			k.ID = strings.Clone(k.ID)
			logs[k] = append(logs[k], cloneMessage(m))
			return nil
		},
		Entry: func(entry *driver.Entry) error {
			if entry.Kind != driver.KindClock {
				entries = append(entries, showEntry(entry))
			}
			return nil
		},
	})
	e.must(err)
	e.equal("findings", got.Findings, []driver.Finding(nil))
	e.equal("counted", []uint64{got.Records, got.Messages, got.Events}, []uint64{6, 6, 4})
	e.isTrue(got.Entries >= 6, "%d entries", got.Entries)
	e.expectVisited(records, logs, entries)
}

// expectVisited fails unless a visitor saw the data that reads return.
func (e *env) expectVisited(records []string, logs map[driver.Key][]driver.Message, entries []string) {
	var wantRecords, wantEntries []string
	for _, n := range []uint64{1, 2} {
		for _, r := range e.list(driver.Query{Namespace: n, Now: 1}) {
			wantRecords = append(wantRecords, showRecord(&r))
			e.equal("visited log", logs[r.Key], e.log(n, r.Incarnation))
		}
		for _, kind := range kinds {
			for _, entry := range e.entries(driver.EntryQuery{Namespace: n, Kind: kind, AllOwners: true}) {
				wantEntries = append(wantEntries, showEntry(&entry))
			}
		}
	}
	for _, both := range [][]string{records, wantRecords, entries, wantEntries} {
		slices.Sort(both)
	}
	e.equal("visited records", records, wantRecords)
	e.equal("visited entries", entries, wantEntries)
}

func checkVisitorFinds(e *env) {
	if e.checker() == nil {
		return
	}
	e.furnish(1)
	bad := errors.New("a body that the store cannot read")
	v := driver.Visitor{
		Record:  func(*driver.Record) error { return bad },
		Message: func(driver.Key, *driver.Message) error { return bad },
	}
	for limit, want := range map[int]int{100: 6, 6: 6, 4: 4, 1: 1} {
		got, err := e.checker().Check(e.ctx, limit, v)
		e.must(err)
		e.equal("findings", len(got.Findings), want)
		for _, f := range got.Findings {
			e.isTrue(f.Where != "" && f.What != "", "an empty finding")
		}
	}
}

func checkMiscount(e *env) {
	if e.checker() == nil {
		return
	}
	r := e.furnish(1)
	for _, wrong := range []edit{
		func(r *driver.Record) { r.Messages++ },
		func(r *driver.Record) { r.Bytes-- },
	} {
		lie := cloneRecord(r)
		wrong(lie)
		e.change(r.Key, driver.Change{Put: lie})
		got, err := e.checker().Check(e.ctx, 10, driver.Visitor{})
		e.must(err)
		e.isTrue(len(got.Findings) > 0, "a miscount was not found")
	}
	e.change(r.Key, driver.Change{Put: r})
}
