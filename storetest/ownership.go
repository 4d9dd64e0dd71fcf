package storetest

import "github.com/seshatdb/seshat"

var ownership = []promise{
	{name: "changing what was returned changes nothing", test: changeReturned},
	{name: "changing what was handed in changes nothing", test: changeHandedIn},
	{name: "what was returned does not change later", test: returnedStays},
	{name: "two callers share nothing", test: nothingShared},
}

// changeAll changes everything in s that a caller can change.
func changeAll(s *seshat.Session) {
	s.ID = "spoiled"
	s.UserID = "spoiled"
	s.Name = "spoiled"
	s.Version = 99
	*s.Agent.Temperature, *s.Agent.MaxTokens = 1.5, 7
	for i := range s.Agent.AvailableTools {
		s.Agent.AvailableTools[i] = "spoiled"
	}
	s.Labels["lang"] = "spoiled"
	s.Labels["spoiled"] = "spoiled"
	for _, d := range []seshat.Document{s.UserMemory, s.Metadata} {
		m := d.Map()
		for k, v := range m {
			if b, ok := v.([]byte); ok {
				b[0]++
			}
			delete(m, k)
		}
	}
}

func changeReturned(e *env) {
	t := e.tenant("t")
	n := fullSession()
	n.Metadata["bytes"] = []byte("bytes")
	made := e.create(t, n)
	want := e.get(t, "s")
	changeAll(made)
	changeAll(e.get(t, "s"))
	p, err := t.List(e.ctx, seshat.Query{})
	e.must(err)
	changeAll(p.Sessions[0])
	touched, err := t.Touch(e.ctx, "s")
	e.must(err)
	changeAll(touched)
	ensured, _, err := t.Ensure(e.ctx, seshat.NewSession{ID: "s"})
	e.must(err)
	changeAll(ensured)
	e.same("what is stored", e.get(t, "s"), want)
	ns, err := t.Namespace(e.ctx)
	e.must(err)
	ns.Name = "spoiled"
	ns.Lifecycle.TTL = 1
	ns.Quotas.MaxSessions = 1
	e.must(second(t.Create(e.ctx, seshat.NewSession{})))
	again, err := t.Namespace(e.ctx)
	e.must(err)
	equal(e, "name", again.Name, "t")
}

func changeHandedIn(e *env) {
	t := e.tenant("t")
	n := fullSession()
	b := []byte("bytes")
	n.Metadata["bytes"] = b
	made := e.create(t, n)
	want := e.get(t, "s")
	*n.Agent.Temperature, n.Agent.AvailableTools[0], b[0] = 1.5, "spoiled", 'x'
	n.Labels["lang"] = "spoiled"
	n.UserMemory["seat"] = "spoiled"
	for _, got := range []*seshat.Session{made, e.get(t, "s")} {
		e.same("what is stored", got, want)
	}
	labels := map[string]string{"k": "v"}
	var kept *seshat.Session
	updated := e.update(t, "s", func(s *seshat.Session) {
		s.Labels = labels
		kept = s
	})
	want = e.get(t, "s")
	labels["k"] = "spoiled"
	kept.Name = "spoiled"
	for _, got := range []*seshat.Session{updated, e.get(t, "s")} {
		e.same("what is stored", got, want)
	}
}

// returnedStays: later writes reuse memory and pages, but returned values stay.
func returnedStays(e *env) {
	t := e.tenant("t")
	e.create(t, fullSession())
	got := e.get(t, "s")
	p, err := t.List(e.ctx, seshat.Query{})
	e.must(err)
	memory := p.Sessions[0].UserMemory
	e.update(t, "s", func(s *seshat.Session) {
		s.UserMemory = seshat.NewDocument(map[string]any{"seat": "other"})
		s.Labels = map[string]string{"lang": "en"}
	})
	for range 20 {
		e.update(t, e.create(t, seshat.NewSession{}).ID, func(s *seshat.Session) { s.Name = "later" })
	}
	equal(e, "name, user, model, label, memory",
		[5]string{got.Name, got.UserID, got.Agent.Model, got.Labels["lang"], got.UserMemory.Map()["seat"].(string)},
		[5]string{"Flights", "mia", "m-1", "de", "aisle"})
	equal(e, "memory of a listed one", memory.Map()["seat"], any("aisle"))
}

func nothingShared(e *env) {
	t := e.tenant("t")
	e.create(t, fullSession())
	a := e.get(t, "s")
	b := e.get(t, "s")
	changeAll(a)
	e.same("what another reader got", b, e.get(t, "s"))
	da := b.UserMemory.Map()
	db := b.UserMemory.Map()
	da["seat"] = "spoiled"
	equal(e, "second map of one document", db["seat"], any("aisle"))
}
