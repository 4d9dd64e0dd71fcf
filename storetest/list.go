package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

var lists = []promise{
	{name: "every order and filter, paged by every size", test: everyQuery},
	{name: "ties are broken by id", test: ties},
	{name: "each session exactly once while writes go on", test: exactlyOnce},
	{name: "a page holds no more than its limit", test: pageLimit},
	{name: "the iterator stops where the caller does", test: iteratorStops},
	{name: "the loop body may call the store", test: callsInLoop},
	{name: "activity moves a session to the front", test: activityOrder},
	{name: "ranges are half open", test: ranges},
	{name: "illegal queries are refused", test: illegalQueries},
}

// listed is a session of the crowd, as the oracle knows it.
type listed struct {
	id, user string
	status   seshat.Status
	labels   map[string]string
	created  time.Time
	active   time.Time // to the minute
}

// createCrowd fills t with n sessions that differ in every property that a
// query can select or sort by.
func (e *env) createCrowd(t *seshat.Tenant, n int) (all []listed) {
	e.Helper()
	for i := range n {
		if i%3 == 0 {
			// Three sessions share an instant, and three instants share a
			// minute.
			e.clock.Advance(20 * time.Second)
		}
		labels := map[string]string{"n": fmt.Sprint(i % 4)}
		if i%2 == 0 {
			labels["even"] = ""
		}
		s := e.createIn(t, allStatuses[i%4], seshat.NewSession{
			ID: fmt.Sprintf("s-%02d", n-i), UserID: fmt.Sprint("user ", i%3), Labels: labels,
		})
		all = append(all, listed{s.ID, s.UserID, s.Status, labels, s.CreatedAt, s.LastActivityAt})
	}
	for i := range all {
		if i%5 == 0 && all[i].status == seshat.StatusActive {
			e.clock.Advance(minute)
			s, err := t.Touch(e.ctx, all[i].id)
			e.must(err)
			all[i].active = s.LastActivityAt
		}
	}
	for i := range all {
		all[i].active = all[i].active.Truncate(minute)
	}
	return all
}

// oracle returns the ids that q selects, in order.
func oracle(all []listed, q seshat.Query) (ids []string) {
	at := func(l listed) time.Time {
		if q.Order == seshat.OrderByActivity {
			return l.active
		}
		return l.created
	}
	var found []listed
	for _, l := range all {
		if l.matches(q) {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b listed) int {
		c := at(a).Compare(at(b))
		if c == 0 {
			c = strings.Compare(a.id, b.id)
		}
		if !q.OldestFirst {
			return -c
		}
		return c
	})
	for _, l := range found {
		ids = append(ids, l.id)
	}
	return ids
}

func (l listed) matches(q seshat.Query) bool {
	for k, v := range q.Labels {
		if got, ok := l.labels[k]; !ok || got != v {
			return false
		}
	}
	within := func(at, from, to time.Time) bool {
		return !at.Before(from) && (to.IsZero() || at.Before(to))
	}
	return (q.UserID == "" || l.user == q.UserID) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, l.status)) &&
		within(l.created, q.CreatedFrom, q.CreatedTo) &&
		within(l.active, q.ActiveFrom.Truncate(minute), q.ActiveTo.Truncate(minute))
}

// filters are the parts that every query of everyQuery combines.
func filters() []seshat.Query {
	at := func(d time.Duration) time.Time { return seshattest.Start.Add(d) }
	return []seshat.Query{
		{},
		{UserID: "user 1"},
		{UserID: "nobody"},
		{Statuses: []seshat.Status{seshat.StatusActive}},
		{Statuses: []seshat.Status{seshat.StatusIdle, seshat.StatusTerminated, seshat.StatusIdle}},
		{Statuses: allStatuses},
		{Labels: map[string]string{"even": ""}},
		{Labels: map[string]string{"even": "", "n": "2"}},
		{Labels: map[string]string{"n": "9"}},
		{CreatedFrom: at(2 * minute)},
		{CreatedTo: at(2 * minute)},
		{CreatedFrom: at(time.Minute), CreatedTo: at(3 * minute), UserID: "user 2"},
		{ActiveFrom: at(3*minute + 30*time.Second)},
		{ActiveTo: at(2*minute + 30*time.Second), Statuses: []seshat.Status{seshat.StatusActive}},
		{ActiveFrom: at(time.Minute), ActiveTo: at(4 * minute), Labels: map[string]string{"n": "0"}},
		{CreatedFrom: at(3 * minute), CreatedTo: at(minute)},
		{CreatedFrom: time.Date(1, 2, 3, 4, 5, 6, 7, time.UTC), CreatedTo: at(365 * day)},
	}
}

func everyQuery(e *env) {
	t := e.tenant("t")
	other := e.tenant("other")
	e.create(other, seshat.NewSession{UserID: "user 1", Labels: map[string]string{"even": "", "n": "2"}})
	all := e.createCrowd(t, 40)
	for _, q := range filters() {
		for _, order := range []seshat.Order{seshat.OrderByCreation, seshat.OrderByActivity} {
			for _, oldest := range []bool{false, true} {
				q.Order = order
				q.OldestFirst = oldest
				want := oracle(all, q)
				for _, limit := range []int{0, 1, 3, 7, seshat.MaxPage} {
					q.Limit = limit
					if got := e.ids(t, q); !slices.Equal(got, want) {
						e.Fatalf("%+v:\ngot  %v\nwant %v", q, got, want)
					}
				}
				equal(e, fmt.Sprintf("count of %+v", q), e.count(t, q), uint64(len(want)))
			}
		}
	}
}

func ties(e *env) {
	t := e.tenant("t")
	ids := []string{"b", "a", "ab", "\U0010ffff", "ä", "B", "a ", "a/b", "z"}
	for _, id := range ids {
		e.create(t, seshat.NewSession{ID: id})
	}
	want := slices.Sorted(slices.Values(ids))
	for _, order := range []seshat.Order{seshat.OrderByCreation, seshat.OrderByActivity} {
		q := seshat.Query{Order: order, OldestFirst: true, Limit: 2}
		equal(e, "oldest first", fmt.Sprintf("%q", e.ids(t, q)), fmt.Sprintf("%q", want))
		q.OldestFirst = false
		got := e.ids(t, q)
		slices.Reverse(got)
		equal(e, "newest first", fmt.Sprintf("%q", got), fmt.Sprintf("%q", want))
	}
}

// exactlyOnce pages in both directions while sessions are created, deleted and
// changed between pages. Sessions that exist throughout appear once, in order.
func exactlyOnce(e *env) {
	t := e.tenant("t")
	for _, oldest := range []bool{false, true} {
		var stay []string
		for i := range 30 {
			e.clock.Advance(ms)
			id := fmt.Sprintf("%v %02d", oldest, i)
			e.create(t, seshat.NewSession{ID: id, UserID: "mia"})
			if i%3 > 0 {
				stay = append(stay, id)
			}
		}
		seen := []string{}
		page := 0
		q := seshat.Query{Limit: 4, OldestFirst: oldest, UserID: "mia"}
		for more := true; more; more = q.Cursor != "" {
			p, err := t.List(e.ctx, q)
			e.must(err)
			for _, s := range p.Sessions {
				seen = append(seen, s.ID)
			}
			q.Cursor = p.NextCursor
			e.disturb(t, fmt.Sprintf("%v ", oldest), page)
			page++
		}
		kept := slices.DeleteFunc(slices.Clone(seen), func(id string) bool { return !slices.Contains(stay, id) })
		if !oldest {
			slices.Reverse(kept)
		}
		equal(e, "those that stayed", fmt.Sprint(kept), fmt.Sprint(stay))
		sorted := slices.Sorted(slices.Values(seen))
		equal(e, "seen twice", len(sorted)-len(slices.Compact(sorted)), 0)
		_, err := t.DeleteUser(e.ctx, "mia")
		e.must(err)
	}
}

// disturb makes the changes between two pages of exactlyOnce.
func (e *env) disturb(t *seshat.Tenant, prefix string, page int) {
	e.clock.Advance(minute)
	e.create(t, seshat.NewSession{UserID: "mia", ID: fmt.Sprintf("%s00 new %d", prefix, page)})
	for i := 0; i < 30; i += 3 {
		id := fmt.Sprintf("%s%02d", prefix, i)
		if i%2 == page%2 {
			_, _ = t.Delete(e.ctx, id) // it may be gone already
		}
	}
	for i := 1; i < 30; i += 3 {
		id := fmt.Sprintf("%s%02d", prefix, i)
		e.must(second(t.Touch(e.ctx, id)))
		e.update(t, id, func(s *seshat.Session) { s.Labels = map[string]string{"page": fmt.Sprint(page)} })
	}
}

func pageLimit(e *env) {
	t := e.tenant("t")
	e.createCrowd(t, 60)
	for _, limit := range []int{0, 1, 59, 60, 61, seshat.MaxPage} {
		p, err := t.List(e.ctx, seshat.Query{Limit: limit})
		e.must(err)
		want := limit
		if limit == 0 {
			want = 50
		}
		equal(e, "sessions of a page", len(p.Sessions), min(want, 60))
		equal(e, "last page", p.NextCursor == "", want >= 60)
		if p.Scanned < len(p.Sessions) {
			e.Fatalf("%d index entries were looked at for %d sessions", p.Scanned, len(p.Sessions))
		}
	}
}

func iteratorStops(e *env) {
	t := e.tenant("t")
	e.createCrowd(t, 10)
	seen := 0
	all := t.Sessions(e.ctx, seshat.Query{Limit: 2})
	for range 2 { // an iterator can be used again
		for _, err := range all {
			e.must(err)
			if seen++; seen%5 == 0 {
				break
			}
		}
	}
	equal(e, "sessions seen", seen, 10)
}

func callsInLoop(e *env) {
	t := e.tenant("t")
	e.createCrowd(t, 20)
	for s, err := range t.Sessions(e.ctx, seshat.Query{Limit: 3}) {
		e.must(err)
		e.must(second(t.Delete(e.ctx, s.ID)))
		for again, err := range t.Sessions(e.ctx, seshat.Query{}) {
			e.must(err)
			if again.ID == s.ID {
				e.Fatalf("%q is listed after its deletion", s.ID)
			}
		}
	}
	equal(e, "left", e.count(t, seshat.Query{}), 0)
}

func activityOrder(e *env) {
	t := e.tenant("t")
	for _, id := range []string{"a", "b", "c"} {
		e.create(t, seshat.NewSession{ID: id})
		e.clock.Advance(minute)
	}
	q := seshat.Query{Order: seshat.OrderByActivity}
	equal(e, "order", fmt.Sprint(e.ids(t, q)), "[c b a]")
	e.must(second(t.Touch(e.ctx, "a")))
	equal(e, "order after a touch", fmt.Sprint(e.ids(t, q)), "[a c b]")
	e.clock.Advance(minute)
	e.must(second(t.Append(e.ctx, "b", seshat.Message{Role: seshat.RoleUser, Content: "?"})))
	equal(e, "order after a message", fmt.Sprint(e.ids(t, q)), "[b a c]")
	e.update(t, "c", func(s *seshat.Session) { s.Name = "an edit is no activity" })
	equal(e, "order after an edit", fmt.Sprint(e.ids(t, q)), "[b a c]")
}

func ranges(e *env) {
	t := e.tenant("t")
	at := e.create(t, seshat.NewSession{ID: "s"}).CreatedAt
	for _, tt := range []struct {
		q    seshat.Query
		want uint64
	}{
		{seshat.Query{CreatedFrom: at}, 1},
		{seshat.Query{CreatedFrom: at.Add(ms)}, 0},
		{seshat.Query{CreatedTo: at}, 0},
		{seshat.Query{CreatedTo: at.Add(ms)}, 1},
		{seshat.Query{ActiveFrom: at}, 1},
		{seshat.Query{ActiveFrom: at.Add(minute - ms)}, 1}, // rounded to the minute
		{seshat.Query{ActiveFrom: at.Add(minute)}, 0},
		{seshat.Query{ActiveTo: at.Add(minute - ms)}, 0},
		{seshat.Query{ActiveTo: at.Add(minute)}, 1},
	} {
		equal(e, fmt.Sprintf("count of %+v", tt.q), e.count(t, tt.q), tt.want)
		equal(e, fmt.Sprintf("list of %+v", tt.q), uint64(len(e.ids(t, tt.q))), tt.want)
	}
}

func illegalQueries(e *env) {
	t := e.tenant("t")
	for field, q := range map[string]seshat.Query{
		"limit":  {Limit: -1},
		"order":  {Order: 2},
		"status": {Statuses: []seshat.Status{0}},
		"cursor": {Cursor: "!"},
	} {
		_, err := t.List(e.ctx, q)
		e.isInvalid(err, field)
		for s, err := range t.Sessions(e.ctx, q) {
			e.isInvalid(err, field)
			equal(e, "session beside an error", s, nil)
		}
		if field != "cursor" { // a count ignores the cursor
			_, err = t.Count(e.ctx, q)
			e.isInvalid(err, field)
		}
	}
	_, err := t.List(e.ctx, seshat.Query{Limit: seshat.MaxPage + 1})
	e.isInvalid(err, "limit")
	_, err = t.List(e.ctx, seshat.Query{Statuses: make([]seshat.Status, 100)})
	e.isInvalid(err, "status")
}
