// Package lin checks that calls on one session are linearizable: the results of
// concurrent calls are possible results of sequential calls. The model follows
// the documentation and shares no code with the store.
package lin

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// These are the lifecycle settings of a history's sessions, in milliseconds of
// its clock.
const (
	ttl       = 40 // sliding
	retention = 25
)

// input is one call with the clock's time at its beginning and at its end. The
// store reads its time between them.
type input struct {
	kind       kind
	id         string
	version    uint64 // IfVersion; 0 = any
	name       string // of create and update
	n          int    // messages of append
	to         string // of transition
	began, end int64
}

// output is the outcome of a call.
type output struct {
	code string // "ok", or the name of a sentinel
	seen
	partial bool // seen may lack name, status and end
}

// agrees reports whether the call returned the session as s describes it.
func (o output) agrees(s seen) bool {
	if !o.partial {
		return o.seen == s
	}
	return o.version == s.version && o.last == s.last && o.count == s.count && o.updated == s.updated
}

// seen holds the fields of a session that a call returned.
type seen struct {
	version, last, count uint64
	name, status         string
	updated, expires     int64
}

// state is the state of one session. Its zero value means that there is none.
type state struct {
	live bool
	seen
}

// step reports whether a call in that state can have that outcome, and returns
// the state after it. If a call finds the session expired, the session stays
// gone.
func step(s state, in input, out output) (bool, state) {
	switch out.code {
	case codeClosed, codeGaveUp, codeFull, codeFailed: // no effect
		return true, s
	case codeNotFound:
		if in.kind == create || s.live && s.expires > in.end {
			return false, s
		}
		return true, state{}
	case codeOK:
		if in.kind == create {
			return s.created(in, out)
		}
		return s.succeeded(in, out)
	}
	return s.live && s.expires > in.began && s.refuses(in, out.code), s
}

// created handles a successful create, which requires that there is no session
// or that it has expired.
func (s state) created(in input, out output) (bool, state) {
	if s.live && s.expires > out.updated {
		return false, s
	}
	n := state{live: true, seen: seen{version: 1, name: in.name, status: "active"}}
	n.write(out.updated)
	return n.fits(in, out), n
}

// succeeded handles a successful call on an existing session.
func (s state) succeeded(in input, out output) (bool, state) {
	if !s.live || s.expires <= in.began || s.refused(in) {
		return false, s
	}
	switch in.kind {
	case get:
		return out.agrees(s.seen), s
	case remove:
		return true, state{}
	case transition:
		if in.to == s.status {
			return out.agrees(s.seen), s
		}
	}
	if s.expires <= out.updated {
		return false, s
	}
	n := s.changed(in)
	n.write(out.updated)
	return n.fits(in, out), n
}

// fits reports whether a write can have returned the state at a time between
// its beginning and its end.
func (s state) fits(in input, out output) bool {
	return out.agrees(s.seen) && in.began <= out.updated && out.updated <= in.end
}

// changed returns the state after a call, without its times.
func (s state) changed(in input) state {
	switch in.kind {
	case update:
		s.version++
		s.name = in.name
	case appendTo:
		s.last += uint64(in.n)
		s.count += uint64(in.n)
		s.status = "active"
	case transition:
		s.version++
		s.status = in.to
	}
	return s
}

// write sets the times that a write sets.
func (s *state) write(now int64) {
	s.updated = now
	s.expires = now + ttl
	if s.status == "terminated" {
		s.expires = now + retention
	}
}

// moves is the table of transitions in the documentation.
var moves = map[string]string{
	"active": "idle archived terminated", "idle": "active archived terminated",
	"archived": "active terminated", "terminated": "",
}

// refused reports whether a call on the live session must fail.
func (s state) refused(in input) bool {
	for _, code := range []string{codeConflict, codeReadOnly, codeTransition} {
		if s.refuses(in, code) {
			return true
		}
	}
	return false
}

// refuses reports whether a call on the live session may fail with that code.
func (s state) refuses(in input, code string) bool {
	readOnly := s.status == "archived" || s.status == "terminated"
	switch code {
	case codeExists:
		return in.kind == create
	case codeConflict:
		return in.version != 0 && in.version != s.version
	case codeReadOnly:
		return readOnly && (in.kind == update || in.kind == appendTo || in.kind == touch)
	case codeTransition:
		return in.kind == transition && in.to != s.status && !hasWord(moves[s.status], in.to)
	}
	return false
}

func bySession(history []porcupine.Operation) [][]porcupine.Operation {
	of := map[string][]porcupine.Operation{}
	for _, o := range history {
		id := o.Input.(input).id
		of[id] = append(of[id], o)
	}
	var parts [][]porcupine.Operation
	for _, part := range of {
		parts = append(parts, part)
	}
	return parts
}

// model models one session. A history is divided into the histories of its
// sessions.
var model = porcupine.Model{
	Partition: bySession,
	Init:      func() any { return state{} },
	Step: func(s, in, out any) (bool, any) {
		ok, next := step(s.(state), in.(input), out.(output))
		return ok, next
	},
	Equal:             func(a, b any) bool { return a.(state) == b.(state) },
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}
