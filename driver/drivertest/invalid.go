package drivertest

import (
	"strings"

	"github.com/seshatdb/seshat/driver"
)

var invalidChecks = []check{
	{name: "a change that no driver may make is refused whole", run: checkInvalidChanges},
	{name: "a record that no driver may keep is refused whole", run: checkInvalidRecords},
	{name: "a target that no driver may fetch is refused", run: checkInvalidTargets},
}

// spoil makes a valid change invalid in one respect.
type spoil func(e *env, c *driver.Change)

var spoiled = map[string]spoil{
	"put and remove":          func(_ *env, c *driver.Change) { c.Remove = true },
	"append without put":      func(_ *env, c *driver.Change) { c.Put = nil },
	"append at 0":             func(_ *env, c *driver.Change) { c.Append[0].Seq = 0 },
	"append twice":            func(_ *env, c *driver.Change) { c.Append = append(c.Append, c.Append[0]) },
	"append not below next":   func(_ *env, c *driver.Change) { c.Append[0].Seq = c.Put.NextSeq },
	"append without id":       func(_ *env, c *driver.Change) { c.Append[0].ID = "" },
	"append with a long id":   func(_ *env, c *driver.Change) { c.Append[0].ID = tooLong },
	"replace at 0":            func(_ *env, c *driver.Change) { c.Replace = []driver.Message{{}} },
	"replace what is new":     func(_ *env, c *driver.Change) { c.Replace = c.Append },
	"replace what is dropped": func(_ *env, c *driver.Change) { c.Replace = []driver.Message{message(1, "", "")} },
	"drop from 0":             func(_ *env, c *driver.Change) { c.Drop = []driver.Span{{To: 1}} },
	"drop backwards":          func(_ *env, c *driver.Change) { c.Drop = []driver.Span{{From: 2, To: 1}} },
	"drop what is new":        func(_ *env, c *driver.Change) { c.Drop = []driver.Span{{From: 1, To: 99}} },
	"stage and put":           func(e *env, c *driver.Change) { c.Stage = e.incarnation() },
	"erase and put":           func(_ *env, c *driver.Change) { c.Erase = &driver.Erasure{Namespace: 2} },
	"trim the future":         func(_ *env, c *driver.Change) { c.TrimFeed = 99 },
	"long event":              func(_ *env, c *driver.Change) { c.Events[0].ID = tooLong },
	"write the clock": func(_ *env, c *driver.Change) {
		c.Entries[2].EntryKey = driver.EntryKey{Kind: driver.KindClock}
	},
	"long entry":         func(_ *env, c *driver.Change) { c.Entries[2].Name = tooLong + tooLong },
	"long owner":         func(_ *env, c *driver.Change) { c.Entries[1].Owner = tooLong },
	"two kinds of owner": func(_ *env, c *driver.Change) { c.Entries[0].Kind |= driver.KindUser },
	"a session's owner":  func(_ *env, c *driver.Change) { c.Entries[0].Owner = "0123456789abcdef" },
	"another's session":  func(_ *env, c *driver.Change) { c.Entries[0].Namespace = 2 },
}

var tooLong = strings.Repeat("x", driver.MaxNameBytes+1)

var spoiledRecords = map[string]edit{
	"another id":          func(r *driver.Record) { r.ID = "another" },
	"another namespace":   func(r *driver.Record) { r.Namespace = 2 },
	"no incarnation":      func(r *driver.Record) { r.Incarnation = driver.Incarnation{} },
	"lowered next":        func(r *driver.Record) { r.NextSeq = 1 },
	"long user":           byUser(tooLong),
	"status out of range": withStatus(driver.Statuses),
	"negative creation":   createdAt(-1),
	"negative activity":   func(r *driver.Record) { r.ActiveMinute = -1 },
	"negative due":        dueAt(-1),
	"negative expiry":     expiring(-1),
	"labels descending":   labelled("b", "", "a", ""),
	"label twice":         labelled("a", "1", "a", "2"),
	"label without name":  labelled("", "1"),
	"long label name":     labelled(tooLong, "1"),
	"long label value":    labelled("a", tooLong),
}

func checkInvalidChanges(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1, 2)
	for name, spoil := range spoiled {
		c := e.upheaval(r)
		spoil(e, &c)
		err := e.mutate(r.Key, c)
		e.isTrue(err != nil, "%s was accepted", name)
		e.isError(err, driver.ErrInvalid)
		e.expectUnchanged(was, 1, 2)
	}
	for _, c := range []driver.Change{
		{Replace: []driver.Message{message(1, "", "x")}},
		{Drop: []driver.Span{{From: 1, To: 2}}},
		{Erase: &driver.Erasure{}},
		{Erase: &driver.Erasure{Namespace: 1}, Events: make([]driver.Event, 1)},
		{
			Erase: &driver.Erasure{Namespace: 1, UserID: "ann"},
			Entries: []driver.Entry{{
				EntryKey: driver.EntryKey{Namespace: 1, Kind: kindUser, Owner: "ann"},
				Value:    []byte{},
			}},
		},
		{Entries: []driver.Entry{{
			EntryKey: driver.EntryKey{Namespace: 1, Kind: kindSession, Name: "n"},
			Value:    []byte{},
		}}},
	} {
		e.isError(e.mutate(key(1, "absent"), c), driver.ErrInvalid)
		e.expectUnchanged(was, 1, 2)
	}
	e.checkInvalidPairs(r, was)
	e.change(r.Key, e.upheaval(r))
	e.makeConsistent(r)
}

// checkInvalidPairs combines two parts of a change, each of which is valid by
// itself.
func (e *env) checkInvalidPairs(r *driver.Record, was string) {
	drop := []driver.Span{{From: 1, To: 1}}
	inc := e.incarnation()
	for _, c := range []driver.Change{
		{Put: r, Remove: true},
		{Remove: true, Drop: drop},
		{Remove: true, Replace: []driver.Message{message(1, "", "x")}},
		{
			Remove: true,
			Entries: []driver.Entry{{
				EntryKey: driver.EntryKey{Namespace: 1, Kind: kindSession, Name: "n"},
				Value:    []byte{},
			}},
		},
		{Remove: true, Stage: inc, StageUntil: start},
		{Drop: drop, Stage: inc, StageUntil: start},
		{Drop: drop, Erase: &driver.Erasure{Namespace: 2}},
		{Stage: inc, Erase: &driver.Erasure{Namespace: 2}},
		{Stage: inc, Append: []driver.Message{message(^uint64(0), "last", "x")}},
		{TrimFeed: 3, Events: make([]driver.Event, 1)},
	} {
		e.isError(e.mutate(r.Key, c), driver.ErrInvalid)
		e.expectUnchanged(was, 1, 2)
	}
}

// makeConsistent makes the record of an upheaval consistent, so that audit
// accepts it.
func (e *env) makeConsistent(r *driver.Record) {
	got := e.get(r.Key)
	got.Messages, got.Bytes = 0, uint64(len(got.Body))
	for _, m := range e.log(r.Namespace, r.Incarnation) {
		got.Messages++
		got.Bytes += uint64(len(m.Body))
	}
	e.change(r.Key, driver.Change{Put: got})
}

func checkInvalidRecords(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1, 2)
	for name, edit := range spoiledRecords {
		c := e.upheaval(r)
		c.Append = nil
		edit(c.Put)
		err := e.mutate(r.Key, c)
		e.isTrue(err != nil, "%s was accepted", name)
		e.isError(err, driver.ErrInvalid)
		e.expectUnchanged(was, 1, 2)
	}
}

func checkInvalidTargets(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1)
	for _, t := range []driver.Target{
		{Key: key(1, tooLong)},
		{Key: key(0, "a")},
		{Key: r.Key, MessageIDs: []string{""}},
		{Key: r.Key, MessageIDs: []string{"m1", tooLong}},
		{Key: r.Key, Entries: []driver.EntryKey{{Kind: kindPlain, Name: tooLong + tooLong}}},
		{Key: r.Key, Entries: []driver.EntryKey{{Kind: kindPlain, Owner: tooLong}}},
		{Key: r.Key, Entries: []driver.EntryKey{{Namespace: 2, Kind: kindSession}}},
	} {
		o := e.plan(t, func(driver.View) (driver.Change, error) {
			return driver.Change{Events: make([]driver.Event, 1)}, nil
		})
		e.isError(e.d.Mutate(e.ctx, o), driver.ErrInvalid)
	}
	e.isError(e.d.Mutate(e.ctx, &driver.Op{}), driver.ErrInvalid)
	e.expectUnchanged(was, 1)
}
