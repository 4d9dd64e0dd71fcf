package drivertest

import (
	"fmt"
	"math/rand/v2"

	"github.com/seshatdb/seshat/driver"
)

var (
	modelIDs    = []string{"a", "ab", "a/b", "日本", "z ", "\U0010FFFF"}
	modelUsers  = []string{"", "u", "u2", "u/", "日"}
	modelLabels = []string{"l", "l2", "m"}
	modelNames  = []string{"n", "nn", "\xff", "n\x00"}
)

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// randomTarget returns a target with a session of the namespace and a few items
// of every other kind.
func randomTarget(rng *rand.Rand, namespace uint64, nextSeq uint64) driver.Target {
	t := driver.Target{Key: key(namespace, pick(rng, modelIDs)), Usage: rng.IntN(4) == 0}
	for range rng.IntN(3) {
		t.Seqs = append(t.Seqs, rng.Uint64N(nextSeq+2))
		t.MessageIDs = append(t.MessageIDs, fmt.Sprintf("m%d", rng.Uint64N(nextSeq+2)))
	}
	if rng.IntN(2) == 0 {
		t.Span.From = 1 + rng.Uint64N(nextSeq+1)
		t.Span.To = t.Span.From + rng.Uint64N(4)
	}
	for range rng.IntN(3) {
		t.Entries = append(t.Entries, randomEntry(rng, namespace))
	}
	return t
}

func randomEntry(rng *rand.Rand, namespace uint64) driver.EntryKey {
	k := driver.EntryKey{Namespace: namespace, Kind: pick(rng, kinds), Name: pick(rng, modelNames)}
	switch k.Kind {
	case kindUser:
		k.Owner = pick(rng, modelUsers[1:])
	case kindPlain:
		k.Namespace *= uint64(rng.IntN(2))
	}
	return k
}

// scramble gives r random indexed fields and a random body.
func scramble(rng *rand.Rand, r *driver.Record, now int64) {
	r.Version++
	r.UserID = pick(rng, modelUsers)
	r.Status = uint8(rng.IntN(driver.Statuses))
	r.ActiveMinute = now/minute + rng.Int64N(3)
	r.Due = []int64{driver.Never, now + rng.Int64N(200), now}[rng.IntN(3)]
	r.Expires = []int64{driver.Never, now + rng.Int64N(200), now}[rng.IntN(3)]
	r.Labels = nil
	for _, name := range modelLabels {
		if rng.IntN(2) == 0 {
			r.Labels = append(r.Labels, driver.Label{Name: name, Value: pick(rng, modelNames[:2])})
		}
	}
	r.Bytes -= uint64(len(r.Body))
	r.Body = randomBody(rng)
	r.Bytes += uint64(len(r.Body))
}

// randomBody returns a body that is mostly short and sometimes longer than a
// page of an engine.
func randomBody(rng *rand.Rand) []byte {
	b := make([]byte, []int{0, 10, 300, 6000}[min(rng.IntN(8), 3)>>rng.IntN(2)])
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// randomChange returns a valid change for the view v. It puts a record that
// matches the change, so that a Checker finds no fault.
func (e *env) randomChange(rng *rand.Rand, t driver.Target, v driver.View) (c driver.Change) {
	if rng.IntN(12) == 0 && v.Record != nil {
		return driver.Change{Remove: true, Events: randomEvents(rng, t.Key.ID)}
	}
	r := e.record(t.Key)
	r.Created = v.Now - rng.Int64N(5)
	if v.Record != nil && rng.IntN(8) > 0 {
		r = cloneRecord(v.Record)
		c.Drop, c.Replace = randomEdits(rng, t, v, r)
	}
	if rng.IntN(3) > 0 {
		scramble(rng, r, v.Now)
	}
	for range rng.IntN(4) {
		r.NextSeq += uint64(rng.IntN(2))
		m := message(r.NextSeq, fmt.Sprintf("m%d", r.NextSeq), string(randomBody(rng)))
		c.Append = append(c.Append, m)
		r.NextSeq++
		r.Messages++
		r.Bytes += uint64(len(m.Body))
	}
	c.Put = r
	c.Entries = randomEntries(rng, t)
	c.Events = randomEvents(rng, t.Key.ID)
	if rng.IntN(6) == 0 {
		c.TrimFeed = v.FeedTail + rng.Uint64N(v.FeedHead-v.FeedTail+1)
	}
	return c
}

// randomEdits adds edits to a change: it drops the span of the target and
// replaces its messages.
func randomEdits(rng *rand.Rand, t driver.Target, v driver.View,
	r *driver.Record,
) (drop []driver.Span, replace []driver.Message) {
	if t.Span.To != 0 && rng.IntN(2) == 0 && t.Span.To < r.NextSeq {
		drop = append(drop, t.Span)
		r.Messages -= v.Span.Messages
		r.Bytes -= v.Span.Bytes
	}
	for _, m := range v.Messages {
		dropped := len(drop) > 0 && m.Seq >= drop[0].From && m.Seq <= drop[0].To
		if m.Seq == 0 || dropped || len(replace) > 0 && m.Seq <= replace[len(replace)-1].Seq {
			continue
		}
		body := randomBody(rng)
		replace = append(replace, driver.Message{Seq: m.Seq, Body: body})
		r.Bytes += uint64(len(body)) - uint64(len(m.Body))
	}
	return drop, replace
}

func randomEntries(rng *rand.Rand, t driver.Target) (entries []driver.Entry) {
	for _, k := range t.Entries {
		value := append([]byte{}, randomBody(rng)...)
		if rng.IntN(3) == 0 {
			value = nil
		}
		entries = append(entries, driver.Entry{EntryKey: k, Value: value})
	}
	return entries
}

func randomEvents(rng *rand.Rand, id string) (events []driver.Event) {
	for range rng.IntN(3) {
		events = append(events, driver.Event{
			Time: rng.Int64N(1 << 40), ID: id, Kind: driver.EventKind(rng.IntN(9)), Status: uint8(rng.IntN(8)),
			Version: rng.Uint64(), LastSeq: rng.Uint64(),
		})
	}
	return events
}
