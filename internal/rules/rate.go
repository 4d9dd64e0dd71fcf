package rules

const minuteMS = 60_000

// Rate counts the messages of the current minute and of the minute before.
type Rate struct {
	Minute         int64  // Unix minutes
	Count, Earlier uint64 // messages in Minute, and in the minute before
}

// Add counts n messages at now.
func (r *Rate) Add(n uint64, now int64) {
	r.roll(now)
	r.Count += n
}

// roll begins a new minute if now is past the current one.
func (r *Rate) roll(now int64) {
	switch at := now / minuteMS; {
	case at == r.Minute:
	case at == r.Minute+1:
		*r = Rate{Minute: at, Earlier: r.Count}
	default:
		*r = Rate{Minute: at}
	}
}

// Use returns the number of messages in the 60 seconds before now: those of the
// current minute, and the share of the minute before that the 60 seconds cover.
func (r Rate) Use(now int64) uint64 {
	r.roll(now)
	return r.Count + (r.Earlier*left(now)+minuteMS-1)/minuteMS
}

// left returns the milliseconds left in the current minute.
func left(now int64) uint64 { return uint64(minuteMS - now%minuteMS) }

// Wait returns the milliseconds until Use is at most room, if nothing is added.
func (r Rate) Wait(room uint64, now int64) int64 {
	r.roll(now)
	ms := left(now)
	switch {
	case r.Count <= room && r.Earlier > 0:
		// Within this minute, while the share of the minute before shrinks.
		ms -= min(ms, (room-r.Count)*minuteMS/r.Earlier)
	case r.Count > room:
		// In the next minute, while the share of this minute shrinks.
		ms += minuteMS - room*minuteMS/r.Count
	}
	return int64(max(ms, 1))
}
