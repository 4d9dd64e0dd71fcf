package drivertest

import (
	"errors"
	"sync"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
)

// sound is the harness of a driver that keeps its promises.
var sound = Harness{Open: func(testing.TB) driver.Driver { return memdriver.Open() }}

// broken is a driver that breaks a promise, and the concern that must notice
// it. If byModel is true, the model test must notice it too.
type broken struct {
	name    string
	concern string
	byModel bool
	wrap    func(driver.Driver) driver.Driver
}

var brokens = []broken{
	{"skipping", "paging", true, func(d driver.Driver) driver.Driver { return skipping{d} }},
	{"undead", "read", true, func(d driver.Driver) driver.Driver { return undead{d} }},
	{"lingering", "read", false, func(d driver.Driver) driver.Driver { return lingering{d} }},
	{"overcounting", "count", true, func(d driver.Driver) driver.Driver { return overcounting{d} }},
	{"unmoved", "list", true, func(d driver.Driver) driver.Driver {
		return unmoved{d, new(sync.Mutex), map[driver.Key]string{}}
	}},
	{"unordered", "list", false, func(d driver.Driver) driver.Driver { return unordered{d} }},
	{"lenient", "list", false, func(d driver.Driver) driver.Driver { return lenient{d} }},
	{"sharing", "ownership", false, func(d driver.Driver) driver.Driver {
		return sharing{d, new(sync.Mutex), map[uint64][]driver.Message{}}
	}},
	{"keeping", "ownership", false, func(d driver.Driver) driver.Driver {
		return keeping{d, new(sync.Mutex), map[driver.Key]driver.Record{}}
	}},
	{"forgetful", "feed", true, func(d driver.Driver) driver.Driver { return forgetful{d} }},
	{"repeating", "due", false, func(d driver.Driver) driver.Driver { return repeating{d} }},
	{"hoarding", "stage", false, func(d driver.Driver) driver.Driver { return hoarding{d} }},
	{"silent", "erase", true, func(d driver.Driver) driver.Driver { return silent{d} }},
	{
		"lazy", "erase", true,
		func(d driver.Driver) driver.Driver { return lazy{d, new(sync.Mutex), new([]driver.Change)} },
	},
	{"valueless", "entries", true, func(d driver.Driver) driver.Driver { return valueless{d} }},
	{"tireless", "closed", false, func(d driver.Driver) driver.Driver { return tireless{d} }},
	{"hasty", "closed", false, func(d driver.Driver) driver.Driver { return hasty{d} }},
	{"stubborn", "context", false, func(d driver.Driver) driver.Driver { return stubborn{d} }},
	{"late", "read", false, func(d driver.Driver) driver.Driver {
		return late{d, new(sync.Mutex), map[driver.Key]*driver.Record{}}
	}},
	{"reckless", "atomic", true, func(d driver.Driver) driver.Driver { return reckless{d} }},
	{"careless", "atomic", false, func(d driver.Driver) driver.Driver { return careless{d} }},
	{"timid", "atomic", true, func(d driver.Driver) driver.Driver { return timid{d} }},
	{"racing", "race", false, func(d driver.Driver) driver.Driver { return racing{d} }},
	{"amnesic", "log", true, func(d driver.Driver) driver.Driver {
		return amnesic{d, new(sync.Mutex), map[driver.Incarnation][]driver.Span{}}
	}},
	{"blinkered", "plan", true, func(d driver.Driver) driver.Driver { return blinkered{d} }},
	{"backwards", "plan", false, func(d driver.Driver) driver.Driver { return backwards{d} }},
	{"optimistic", "count", true, func(d driver.Driver) driver.Driver { return optimistic{d} }},
	{"folding", "isolation", false, func(d driver.Driver) driver.Driver { return folding{d} }},
	{"split", "limits", false, func(d driver.Driver) driver.Driver { return split{d} }},
	{"refless", "dump", false, func(d driver.Driver) driver.Driver { return refless{d.(*memdriver.Driver)} }},
	{"including", "dump", false, func(d driver.Driver) driver.Driver { return including{d.(*memdriver.Driver)} }},
	{"swallowing", "dump", false, func(d driver.Driver) driver.Driver { return swallowing{d.(*memdriver.Driver)} }},
	{"restarting", "load", true, func(d driver.Driver) driver.Driver { return restarting{d.(*memdriver.Driver)} }},
	{"noteless", "load", false, func(d driver.Driver) driver.Driver { return noteless{d.(*memdriver.Driver)} }},
	{"halfway", "load", false, func(d driver.Driver) driver.Driver { return halfway{d.(*memdriver.Driver)} }},
}

// TestBrokenDriversAreCaught proves that the suite can fail.
func TestBrokenDriversAreCaught(t *testing.T) {
	for _, b := range brokens {
		t.Run(b.name, func(t *testing.T) {
			h := Harness{Open: func(tb testing.TB) driver.Driver { return b.wrap(sound.Open(tb)) }}
			err := attemptConcern(t, h, b.concern)
			if err == nil {
				t.Errorf("%s finds nothing", b.concern)
			}
			t.Log(err)
			if b.byModel {
				caught := playModel(t, h, 1, 150)
				if caught == nil {
					t.Error("the model finds nothing")
				}
				t.Log(caught)
			}
		})
	}
}

// attemptConcern runs the checks of a concern and returns their failures.
func attemptConcern(t *testing.T, h Harness, name string) (found error) {
	for _, c := range concerns {
		if c.name != name {
			continue
		}
		for _, check := range c.checks {
			if check.needs == nil || check.needs(h) {
				found = errors.Join(found, check.attempt(t, h))
			}
		}
	}
	return found
}

// TestModelIsDeterministic proves that a seed replays the same steps.
func TestModelIsDeterministic(t *testing.T) {
	var ended [2]string
	for i := range ended {
		h := Harness{Open: func(tb testing.TB) driver.Driver { return undead{sound.Open(tb)} }}
		err := playModel(t, h, 7, 300)
		if err == nil {
			t.Fatal("the model finds nothing")
		}
		ended[i] = err.Error()
	}
	if ended[0] != ended[1] {
		t.Errorf("two plays of one seed ended differently:\n%s\n%s", ended[0], ended[1])
	}
}
