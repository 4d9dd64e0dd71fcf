package drivertest

import (
	"fmt"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// Bench runs a few benchmarks as sub-benchmarks of b, named op=…/sessions=….
// Each uses one namespace with that many sessions, whose bodies have 500 bytes.
// Writes are durable if the driver is. parallel=8 means eight callers per
// processor.
func Bench(b *testing.B, h Harness) {
	for _, sessions := range []int{100, 10_000} {
		e := newEnv(b, h)
		e.createCrowd(sessions)
		for _, bench := range benches {
			b.Run(fmt.Sprintf("op=%s/sessions=%d", bench.name, sessions), func(b *testing.B) {
				b.ReportAllocs()
				bench.run(b, e, sessions)
			})
		}
	}
}

var benches = []struct {
	name string
	run  func(b *testing.B, e *env, sessions int)
}{
	{"get", benchGet},
	{"put", benchPut},
	{"put/parallel=8", benchPutParallel},
	{"append", benchAppend},
	{"list/limit=20", benchList},
	{"list/limit=20/user=1", benchListUser},
	{"count", benchCount},
	{"messages/limit=20", benchMessages},
}

// createCrowd creates n sessions that belong to ten users.
func (e *env) createCrowd(n int) {
	for i := 0; i < n; {
		var ops []*driver.Op
		for ; i < n && len(ops) < driver.MaxOps; i++ {
			r := e.record(crowdKey(i), createdAt(start+int64(i)), activeAt(start+int64(i)*1000),
				byUser(fmt.Sprintf("user%d", i%10)))
			r.Body = make([]byte, 500)
			r.Bytes = 500
			ops = append(ops, e.op(r.Key, driver.Change{Put: r}))
		}
		if err := e.d.Mutate(e.ctx, ops...); err != nil {
			e.tb.Fatal(err)
		}
	}
}

func crowdKey(i int) driver.Key { return key(1, fmt.Sprintf("ses_%08x", uint32(i)*2654435761)) }

// each calls f b.N times with indexes below n and fails b on the first error.
func each(b *testing.B, n int, f func(i int) error) {
	for i := 0; b.Loop(); i++ {
		if err := f(i * 7919 % n); err != nil {
			b.Fatal(err)
		}
	}
}

func benchGet(b *testing.B, e *env, n int) {
	var into driver.Record
	each(b, n, func(i int) error { return e.d.Get(e.ctx, crowdKey(i), start, &into) })
}

// touchOp returns an op that writes a record's next version.
func (e *env) touchOp(k driver.Key) *driver.Op {
	return e.plan(driver.Target{Key: k}, func(v driver.View) (driver.Change, error) {
		r := *v.Record
		r.Version++
		return driver.Change{Put: &r}, nil
	})
}

func benchPut(b *testing.B, e *env, n int) {
	each(b, n, func(i int) error { return e.d.Mutate(e.ctx, e.touchOp(crowdKey(i))) })
}

func benchPutParallel(b *testing.B, e *env, n int) {
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if err := e.d.Mutate(e.ctx, e.touchOp(crowdKey(i*7919%n))); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func benchAppend(b *testing.B, e *env, n int) {
	body := make([]byte, 200)
	each(b, n, func(i int) error {
		k := crowdKey(i)
		return e.d.Mutate(e.ctx, e.plan(driver.Target{Key: k}, func(v driver.View) (driver.Change, error) {
			r := *v.Record
			m := driver.Message{Seq: r.NextSeq, ID: fmt.Sprintf("msg_%d", r.NextSeq), Body: body}
			r.NextSeq++
			r.Messages++
			r.Bytes += uint64(len(body))
			return driver.Change{Put: &r, Append: []driver.Message{m}}, nil
		}))
	})
}

func benchList(b *testing.B, e *env, n int) {
	each(b, n, func(i int) error {
		_, err := e.d.List(e.ctx, driver.Query{Namespace: 1, Now: start, Desc: true, Limit: 20})
		return err
	})
}

func benchListUser(b *testing.B, e *env, n int) {
	each(b, n, func(i int) error {
		_, err := e.d.List(e.ctx,
			driver.Query{
				Namespace: 1, Now: start, UserID: fmt.Sprintf("user%d", i%10), Order: driver.ByActivity,
				Limit: 20,
			})
		return err
	})
}

func benchCount(b *testing.B, e *env, n int) {
	each(b, n, func(int) error {
		_, err := e.d.Count(e.ctx, driver.Query{Namespace: 1, Now: start})
		return err
	})
}

func benchMessages(b *testing.B, e *env, n int) {
	r := e.create(key(2, "log"))
	for range 10 {
		e.appendTo(r, make([]string, 50)...)
	}
	each(b, n, func(int) error {
		_, err := e.d.Messages(e.ctx, driver.LogQuery{Namespace: 2, Incarnation: r.Incarnation, Desc: true, Limit: 20})
		return err
	})
}
