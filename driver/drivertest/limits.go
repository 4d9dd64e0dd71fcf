package drivertest

import (
	"bytes"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

var limitChecks = []check{
	{name: "what is as large as Caps allow comes back", run: checkLargest},
	{name: "what is larger is refused, and nothing written", run: checkTooLarge},
	{name: "MaxOps in one call", run: checkMaxOps},
	{name: "Caps are sensible and constant", run: checkCaps},
}

// largest returns n varying bytes.
func largest(n int) []byte {
	return bytes.Repeat([]byte("0123456789abcde"), n/15+1)[:n]
}

func checkLargest(e *env) {
	caps := e.d.Caps()
	r := e.record(key(1, "a"))
	r.Body = largest(caps.MaxRecord)
	m := driver.Message{Seq: 1, ID: "m1", Body: largest(caps.MaxMessage)}
	r.NextSeq, r.Messages, r.Bytes = 2, 1, uint64(len(r.Body)+len(m.Body))
	value := entry("", "n", largest(caps.MaxEntry))
	e.change(r.Key, driver.Change{Put: r, Append: []driver.Message{m}, Entries: []driver.Entry{value}})
	e.equal("record", e.get(r.Key), r)
	e.equal("log", e.log(1, r.Incarnation), []driver.Message{m})
	e.equal("entries", e.entries(driver.EntryQuery{Namespace: 1, Kind: kindPlain}), []driver.Entry{value})
}

func checkTooLarge(e *env) {
	r := e.furnish(1)
	was := e.showWorld(1)
	caps := e.d.Caps()
	large := driver.Message{Seq: r.NextSeq, ID: "large", Body: largest(caps.MaxMessage + 1)}
	body := e.upheaval(r)
	log := e.upheaval(r)
	replaced := e.upheaval(r)
	value := e.upheaval(r)
	body.Put.Body = largest(caps.MaxRecord + 1)
	log.Append = []driver.Message{large}
	large.Seq = 2
	replaced.Replace = []driver.Message{large}
	value.Entries[1].Value = largest(caps.MaxEntry + 1)
	for _, c := range []driver.Change{body, log, replaced, value} {
		e.isError(e.mutate(r.Key, c), driver.ErrTooLarge)
		e.expectUnchanged(was, 1)
	}
}

func checkMaxOps(e *env) {
	var ops []*driver.Op
	for i := range driver.MaxOps + 1 {
		r := e.record(key(1, fmt.Sprintf("%04d", i)))
		ops = append(ops, e.op(r.Key, driver.Change{Put: r}))
	}
	e.isError(e.d.Mutate(e.ctx, ops...), driver.ErrTooLarge)
	for _, o := range ops {
		e.isError(o.Err, driver.ErrTooLarge)
	}
	e.equal("count", e.count(driver.Query{Namespace: 1}), driver.Usage{})
	e.must(e.d.Mutate(e.ctx, ops[:driver.MaxOps]...))
	e.equal("count", e.count(driver.Query{Namespace: 1}).Sessions[0], driver.MaxOps)
}

func checkCaps(e *env) {
	c := e.d.Caps()
	const least = 256 << 10 // the size up to which the store accepts a session
	e.isTrue(c.Name != "" && c.MaxRecord >= least && c.MaxMessage >= least && c.MaxEntry >= least, "%+v", c)
	e.furnish(1)
	e.equal("Caps", e.d.Caps(), c)
}
