package rules

import (
	"math/rand/v2"
	"testing"
)

// TestRateCountsThisMinuteAndWhatIsLeftOfTheOneBefore compares with a list of
// all messages.
func TestRateCountsThisMinuteAndWhatIsLeftOfTheOneBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 43))
	var rate Rate
	now := 1_000 * minute
	counts := map[int64]uint64{}
	for range 5000 {
		now += r.Int64N(40_000)
		if n := r.Uint64N(5); n > 0 {
			rate.Add(n, now)
			counts[now/minute] += n
		}
		earlier := counts[now/minute-1]
		left := uint64(minute - now%minute)
		want := counts[now/minute] + (earlier*left+uint64(minute)-1)/uint64(minute)
		if got := rate.Use(now); got != want {
			t.Fatalf("at %d: %d in use, want %d", now, got, want)
		}
	}
}

// TestRateWaitsAsLongAsItHasTo, and not a millisecond longer.
func TestRateWaitsAsLongAsItHasTo(t *testing.T) {
	r := rand.New(rand.NewPCG(47, 53))
	waited := 0
	for range 20_000 {
		rate := Rate{Minute: 1000, Count: r.Uint64N(12), Earlier: r.Uint64N(12)}
		now := 1000*minute + r.Int64N(3*minute/2)
		room := r.Uint64N(12)
		if rate.Use(now) <= room {
			continue
		}
		waited++
		wait := rate.Wait(room, now)
		if use := rate.Use(now + wait); use > room {
			t.Fatalf("%+v at %d: after %d ms %d are in use, above %d", rate, now, wait, use, room)
		}
		if use := rate.Use(now + wait - 1); use <= room {
			t.Fatalf("%+v at %d: before %d ms %d are in use, not above %d", rate, now, wait, use, room)
		}
	}
	if waited < 1000 {
		t.Fatalf("only %d of the samples had to wait", waited)
	}
}
