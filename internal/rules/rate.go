package rules

const minuteMS = 60_000

// Rate counts the messages of a minute and of the one before it.
type Rate struct {
	Minute         int64 // Unix minutes
	Count, Earlier uint64
}

// Add counts n messages at now.
func (r *Rate) Add(n uint64, now int64) {
	r.roll(now)
	r.Count += n
}

// roll begins a new minute, if there is one.
func (r *Rate) roll(now int64) {
	switch at := now / minuteMS; {
	case at == r.Minute:
	case at == r.Minute+1:
		*r = Rate{Minute: at, Earlier: r.Count}
	default:
		*r = Rate{Minute: at}
	}
}

// Use is how many messages the 60 seconds before now had: those of this
// minute, and of the one before in proportion to how much of it they cover.
func (r Rate) Use(now int64) uint64 {
	r.roll(now)
	return r.Count + (r.Earlier*left(now)+minuteMS-1)/minuteMS
}

// left is how much of the minute is to go.
func left(now int64) uint64 { return uint64(minuteMS - now%minuteMS) }

// Wait is after how many milliseconds Use is at most room, if nothing is added.
func (r Rate) Wait(room uint64, now int64) int64 {
	r.roll(now)
	ms := left(now)
	switch {
	case r.Count <= room && r.Earlier > 0:
		// Within this minute, as the one before fades.
		ms -= min(ms, (room-r.Count)*minuteMS/r.Earlier)
	case r.Count > room:
		// In the next minute, as this one fades.
		ms += minuteMS - room*minuteMS/r.Count
	}
	return int64(max(ms, 1))
}
