package lin

import "github.com/anishathalye/porcupine"

// unsure is the model of a history in which some outcomes are unknown.
var unsure = (&porcupine.NondeterministicModel{
	Partition: bySession,
	Init:      func() []any { return []any{state{}} },
	Step: func(s, in, out any) []any {
		if out.(output).code == codeUnknown {
			return s.(state).perhaps(in.(input))
		}
		if ok, next := step(s.(state), in.(input), out.(output)); ok {
			return []any{next}
		}
		return nil
	},
	Equal: func(a, b any) bool { return a.(state) == b.(state) },
}).ToModel()

// perhaps returns the possible states after a call of unknown outcome: it had
// no effect, or it took effect at any time between its beginning and its end.
func (s state) perhaps(in input) []any {
	all := []any{s}
	if in.kind == get {
		return all
	}
	for now := in.began; now <= in.end; now++ {
		if n := s.made(in, now); n != s {
			all = append(all, n)
		}
	}
	return all
}

// made returns the state after the call takes effect at that time. If the call
// is refused, it returns s.
func (s state) made(in input, now int64) state {
	there := s.live && s.expires > now
	switch {
	case in.kind == create && !there:
		s = state{live: true, seen: seen{version: 1, name: in.name, status: "active"}}
	case in.kind == create || !there || s.refused(in) || in.kind == transition && in.to == s.status:
		return s
	case in.kind == remove:
		return state{}
	default:
		s = s.changed(in)
	}
	s.write(now)
	return s
}
