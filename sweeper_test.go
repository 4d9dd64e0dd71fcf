package seshat_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/seshattest"
)

func TestEventRoundTripsThroughJSON(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, e := range map[string]seshat.Event{
		`{"position":3,"time":"2026-01-02T03:04:05Z","kind":"transitioned",` +
			`"session_id":"x","status":"idle","version":2,"last_seq":1}`: {
			Position: 3, Time: at, Kind: seshat.EventTransitioned, SessionID: "x", Status: seshat.StatusIdle,
			Version: 2, LastSeq: 1,
		},
		`{"position":4,"time":"2026-01-02T03:04:05Z","kind":"user_erased","user_id":"mia"}`: {
			Position: 4, Time: at, Kind: seshat.EventUserErased, UserID: "mia",
		},
	} {
		got, err := json.Marshal(e)
		must(t, err)
		if string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
		var back seshat.Event
		must(t, json.Unmarshal(got, &back))
		if back != e {
			t.Errorf("got %+v back, want %+v", back, e)
		}
	}
	var kind seshat.EventKind
	if err := kind.UnmarshalText([]byte("?")); !errors.Is(err, seshat.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

// rushed is a driver that calls a function before the second read of a feed:
// the sweeper then knows the ends of the feed and reads its events.
type rushed struct {
	*memdriver.Driver
	reads int
	fn    func()
}

func (d *rushed) Feed(ctx context.Context, q driver.FeedQuery) (driver.Feed, error) {
	if d.reads++; d.reads == 2 && d.fn != nil {
		d.fn()
	}
	return d.Driver.Feed(ctx, q)
}

// TestTrimmingYieldsToOthers makes writes and an erasure between a sweep's read
// of a feed and its removal of events.
func TestTrimmingYieldsToOthers(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, meanwhile := range map[string]func(*seshat.Tenant) error{
		"trimmed by count": func(tn *seshat.Tenant) error {
			for range 4 {
				if _, err := tn.Create(t.Context(), seshat.NewSession{}); err != nil {
					return err
				}
			}
			return nil
		},
		"erased": func(tn *seshat.Tenant) error {
			_, err := tn.DeleteUser(t.Context(), "nobody")
			return err
		},
	} {
		d := &rushed{Driver: memdriver.Open()}
		o := seshat.Options{SweepEvery: seshat.Never, Now: func() time.Time { return now }, FeedEvents: 2}
		other, err := seshat.OpenDriver(d.Driver, o)
		tn := openTenant(t, other, err)
		o.FeedEvents, o.FeedAge = 0, time.Hour
		s, err := seshat.OpenDriver(d, o)
		must(t, err) // it has the engine of the other, which is checked
		seshattest.MustCreate(t, tn, seshat.NewSession{})
		now = now.Add(2 * time.Hour)
		d.fn = func() { must(t, meanwhile(tn)) }
		if _, err := s.Sweep(t.Context(), seshat.SweepOptions{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		head, err := tn.FeedHead(t.Context())
		must(t, err)
		if events, _, err := tn.Events(t.Context(), head-1, 1); err != nil || len(events) != 1 {
			t.Errorf("%s: the newest event: got %v, %v", name, events, err)
		}
	}
}

// TestDamagedNamespaceKeepsNoFeedFromBeingTrimmed proves that a sweep reports a
// damaged namespace and continues with the others.
func TestDamagedNamespaceKeepsNoFeedFromBeingTrimmed(t *testing.T) {
	ctx := t.Context()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := memdriver.Open()
	o := seshat.Options{SweepEvery: seshat.Never, Now: func() time.Time { return now }, FeedAge: time.Hour}
	s, err := seshat.OpenDriver(d, o) // by hand: it is damaged, so Check would find something
	must(t, err)
	tn, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "acme"})
	must(t, err)
	seshattest.MustCreate(t, tn, seshat.NewSession{})
	const first = "ns_00000000000000000000000000"
	put(t, d, driver.Entry{EntryKey: driver.EntryKey{Kind: 0x01, Name: first}, Value: []byte{0xc1}})
	now = now.Add(time.Hour)
	r, err := s.Sweep(ctx, seshat.SweepOptions{})
	must(t, err)
	if r.Trimmed != 1 || !errors.Is(r.Err, seshat.ErrCorrupt) {
		t.Errorf("trimmed %d, reported %v; want 1 and ErrCorrupt", r.Trimmed, r.Err)
	}
	must(t, s.Close())
}
