package main

import (
	"fmt"
	"time"
)

// reached is an aim and the result for it.
type reached struct {
	aim   string
	value string
	ok    bool
}

func (r *results) reachTable(t *text) {
	t.f("\n## Aims\n")
	t.head("aim", "measured", "")
	for _, x := range r.reach() {
		mark := "**missed**"
		if x.ok {
			mark = "reached"
		}
		t.row(x.aim, x.value, mark)
	}
}

// reach compares the measurements with the project's aims. It omits aims that
// were not measured.
func (r *results) reach() (out []reached) {
	out = append(out, r.reachWrites()...)
	out = append(out, r.reachReads()...)
	out = append(out, r.reachPages()...)
	return append(out, r.reachLarge()...)
}

// atLeast and atMost name an aim of a ratio.
func atLeast(aim string, ratio, least float64) reached {
	return reached{fmt.Sprintf("%s: at least %gx", aim, least), times(ratio), ratio >= least}
}

func atMost(aim string, ratio, most float64) reached {
	return reached{fmt.Sprintf("%s: at most %gx", aim, most), times(ratio), ratio > 0 && ratio <= most}
}

var writeAims = []struct {
	g     int
	least float64
}{{1, 0.9}, {8, 4}, {64, 10}, {256, 12}}

func (r *results) reachWrites() (out []reached) {
	for _, x := range writeAims {
		for _, call := range []string{"create", "append", "touch"} {
			a := r.m.of("Seshat", call, x.g)
			b := r.m.of("bbolt", call, x.g)
			if a == nil || b == nil {
				continue
			}
			out = append(out, atLeast(fmt.Sprintf("%s by %d against bbolt", call, x.g), a.perSec/b.perSec, x.least))
			if x.g == 64 {
				out = append(out, atMost(fmt.Sprintf("p99 of %s by 64", call), over(a.p99, b.p99), 0.33))
			}
		}
	}
	for _, b := range r.busy {
		out = append(out, atLeast(fmt.Sprintf("touch by %d, processors busy", b.g), b.ours.perSec/b.bolt.perSec, 1))
	}
	for _, name := range []string{"scs boltstore", "ADK SQLite", "SQLite"} {
		a := r.m.of("Seshat", "append", 64)
		b := r.m.of(name, "append", 64)
		if a != nil && b != nil {
			out = append(out, atLeast("append by 64 against "+name, a.perSec/b.perSec, 5))
		}
	}
	return out
}

func (r *results) reachReads() (out []reached) {
	ours := r.m.of("Seshat", "get, hot", 1)
	bolt := r.m.of("bbolt", "get, hot", 1)
	if ours != nil && bolt != nil {
		out = append(out, atMost("time of a hot get against View and msgpack.Unmarshal", bolt.perSec/ours.perSec, 0.2))
	}
	out = append(out,
		reached{"allocations of a get: at most 4", fmt.Sprintf("%.0f", r.getAllocs), r.getAllocs <= 4},
		reached{"allocations of a raw read: 0", fmt.Sprintf("%.1f", r.rawAllocs), r.rawAllocs < 1})
	if len(r.readers) == 2 {
		a := &r.readers[0]
		b := &r.readers[1]
		out = append(out,
			atMost("p99.9 of reads under writers against View", over(a.reads.p999, b.reads.p999), 0.05),
			atLeast("writers beside readers against alone", a.writes.perSec/a.writesWithout.perSec, 0.8))
	}
	if e := r.codecNS("Encode/reflection"); e > 0 {
		out = append(out,
			atMost("encode against msgpack.Marshal", r.codecNS("Encode/codec")/e, 0.1),
			atMost("decode against msgpack.Unmarshal", r.codecNS("Decode/codec")/r.codecNS("Decode/reflection"), 0.2))
	}
	for _, x := range []struct {
		row   string
		least float64
	}{{"list 50 of a user", 5}, {"list 50 by activity", 3}} {
		a := r.m.of("Seshat", x.row, 1)
		b := r.m.of("SQLite", x.row, 1)
		if a != nil && b != nil {
			out = append(out, atLeast(x.row+" against SQLite", a.perSec/b.perSec, x.least))
		}
	}
	return out
}

func (r *results) reachPages() (out []reached) {
	for _, p := range r.pages {
		if p.calls >= 64 {
			out = append(out, atMost("pages of "+p.name+", against "+p.against, p.ours/p.theirs, 1.15))
		}
	}
	return out
}

func (r *results) reachLarge() []reached {
	b := &r.big
	return []reached{
		atMost("median of writers beside a sweep", over(b.with.p50, b.without.p50), 1.6),
		atMost("open without a check against bbolt's", over(b.openUnchecked, b.boltOpen), 2),
		{"resident after open: below 64 MiB", fmt.Sprintf("%.0f MB", b.residentMB), b.residentMB < 67},
	}
}

func over(a, b time.Duration) float64 { return float64(a) / max(1, float64(b)) }
