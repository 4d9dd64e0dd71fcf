package seshat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/internal/rules"
)

// planted is a store into which a test plants data that no call creates.
type planted struct {
	t *testing.T
	s *Store
	n *Tenant
}

func plant(t *testing.T) *planted {
	t.Helper()
	s, err := OpenMemory(Options{SweepEvery: Never}) // by hand: what is planted is found by Check
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	n := mustTenant(t, s)
	if _, err := n.Create(t.Context(), NewSession{ID: "s", UserID: "mia"}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Append(t.Context(), "s", Message{Role: RoleUser, Content: "hello"}); err != nil {
		t.Fatal(err)
	}
	return &planted{t, s, n}
}

// change makes a planned change of the session or of entries.
func (p *planted) change(k driver.Key, plan func(driver.View) driver.Change) {
	p.t.Helper()
	err := p.s.mutate(context.Background(), driver.Target{Key: k}, func(v driver.View) (driver.Change, error) {
		return plan(v), nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// record changes the session's record.
func (p *planted) record(fn func(*driver.Record)) {
	p.t.Helper()
	p.change(driver.Key{Namespace: p.n.ordinal, ID: "s"}, func(v driver.View) driver.Change {
		r := *v.Record
		fn(&r)
		return driver.Change{Put: &r}
	})
}

// body changes the session's body in its decoded form.
func (p *planted) body(fn func(*storedSession)) {
	p.t.Helper()
	p.record(func(r *driver.Record) {
		s, err := decodeStoredSession(r, p.n.id, p.n.organization)
		if err != nil {
			p.t.Fatal(err)
		}
		fn(s)
		body := encodeSession(nil, s)
		r.Bytes += uint64(len(body)) - uint64(len(r.Body))
		r.Body = body
	})
}

func (p *planted) entry(k driver.EntryKey, value []byte) {
	p.t.Helper()
	p.change(driver.Key{}, func(driver.View) driver.Change {
		return driver.Change{Entries: []driver.Entry{{EntryKey: k, Value: value}}}
	})
}

func (p *planted) namespace(fn func(*Namespace)) {
	p.t.Helper()
	n := *p.n.cache.Load().ns
	fn(&n)
	p.entry(namespaceKey(p.n.id), encodeNamespace(&n))
}

func (p *planted) check() CheckReport {
	p.t.Helper()
	r, err := p.s.Check(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// broken is a body that cannot be decoded.
var broken = []byte{0x91, 0xc1}

// damages has one kind of damage a row, and the key that Check must report.
var damages = map[string]struct {
	plant func(*planted)
	where string
}{
	"a body that does not decode": {func(p *planted) {
		p.record(func(r *driver.Record) {
			r.Bytes += uint64(len(broken)) - uint64(len(r.Body))
			r.Body = broken
		})
	}, `session 1/"s"`},
	"an id that is not allowed": {func(p *planted) {
		p.change(driver.Key{Namespace: p.n.ordinal, ID: "a\nb"}, func(driver.View) driver.Change {
			s, _ := (&NewSession{ID: "a\nb"}).newStored(p.n.cache.Load().ns, defaultLifecycle.resolve(), 1)
			b := encodeSession(nil, s)
			return driver.Change{Put: &driver.Record{
				Key: driver.Key{Namespace: p.n.ordinal, ID: "a\nb"}, Incarnation: s.incarnation, NextSeq: 1,
				Status:  1,
				Created: 1, Due: 1, Expires: s.timeline.Expires, Bytes: uint64(len(b)), Body: b,
			}}
		})
	}, `session 1/"a\nb"`},
	"an end that does not follow": {
		func(p *planted) { p.record(func(r *driver.Record) { r.Expires++ }) },
		`session 1/"s"`,
	},
	"a due entry that is late": {func(p *planted) {
		p.record(func(r *driver.Record) {
			r.Due = r.Expires + 1
		})
	}, `session 1/"s"`},
	"a minute that is wrong": {
		func(p *planted) { p.record(func(r *driver.Record) { r.ActiveMinute++ }) },
		`session 1/"s"`,
	},
	"a status that is none": {
		func(p *planted) { p.record(func(r *driver.Record) { r.Status = 7 }) },
		`session 1/"s"`,
	},
	"more messages than numbers": {
		func(p *planted) { p.record(func(r *driver.Record) { r.Messages = 99 }) },
		`session 1/"s"`,
	},
	"a document that is none": {func(p *planted) {
		p.body(func(s *storedSession) {
			s.Metadata = Document{enc: "\xc1"}
		})
	}, `session 1/"s"`},
	"a message that is none":   {func(p *planted) { p.message(broken) }, `session 1/"s"`},
	"a namespace that is none": {func(p *planted) { p.entry(namespaceKey("ns_x"), broken) }, "namespace 0"},
	"a namespace of another id": {
		func(p *planted) { p.namespace(func(n *Namespace) { n.ID = "ns_x" }) },
		"namespace \"ns_",
	},
	"a namespace without a name": {
		func(p *planted) { p.namespace(func(n *Namespace) { n.Name = "x" }) },
		"namespace \"ns_",
	},
	"an ordinal never given": {
		func(p *planted) { p.namespace(func(n *Namespace) { n.ordinal = 9 }) },
		"namespace \"ns_",
	},
	"a session without namespace": {
		func(p *planted) { p.namespace(func(n *Namespace) { n.ordinal = 9 }) },
		`session 1/"s"`,
	},
	"an ordinal that is none": {func(p *planted) { p.entry(ordinalKey(), []byte{1}) }, "namespace 0"},
	"a name that leads nowhere": {
		func(p *planted) { p.entry(namespaceNameKey("int_1", "x"), []byte("ns_x")) },
		`namespace name "x"`,
	},
	"a key that is none": {func(p *planted) { p.entry(apiKeyKey("x"), broken) }, "namespace 0"},
	"a key of another id": {
		func(p *planted) { p.entry(apiKeyKey("x"), encodeKey(&APIKey{ID: "y"})) },
		"namespace 0",
	},
	"a state without its size": {func(p *planted) {
		p.state("k", []byte(NewDocument(map[string]any{"k": 1}).enc))
	}, "state 1/"},
	"a size without its state": {
		func(p *planted) { p.state("", rules.Size{Keys: 1, Bytes: 1}.Encode()) },
		"state 1/",
	},
	"a size that is none":       {func(p *planted) { p.state("", []byte{1}) }, "namespace 1"},
	"a state that is none":      {func(p *planted) { p.state("k", broken) }, "namespace 1"},
	"an ordinal that is shared": {(*planted).sharedOrdinal, "namespace \"ns_"},
	"a log that is not as counted": {
		func(p *planted) { p.record(func(r *driver.Record) { r.Bytes++ }) },
		`session 1/"s"`,
	},
}

// Promise: Check finds every inconsistency and reports its key.
func TestCheckFinds(t *testing.T) {
	for name, tt := range damages {
		t.Run(name, func(t *testing.T) {
			p := plant(t)
			if r := p.check(); len(r.Findings) > 0 {
				t.Fatalf("findings before anything was planted: %v", r.Findings)
			}
			tt.plant(p)
			for _, f := range p.check().Findings {
				if strings.HasPrefix(f.Where, tt.where) {
					return
				}
			}
			t.Fatalf("no finding about %s, but %v", tt.where, p.check().Findings)
		})
	}
}

func (p *planted) message(body []byte) {
	p.change(driver.Key{Namespace: p.n.ordinal, ID: "s"}, func(v driver.View) driver.Change {
		return driver.Change{Replace: []driver.Message{{Seq: 1, ID: "m", Body: body}}}
	})
}

func (p *planted) state(name string, value []byte) {
	p.entry(driver.EntryKey{Namespace: p.n.ordinal, Kind: kindNamespaceState, Name: name}, value)
}

func (p *planted) sharedOrdinal() {
	n := *p.n.cache.Load().ns
	n.ID = "ns_x"
	n.Name = "x"
	p.entry(namespaceKey(n.ID), encodeNamespace(&n))
	p.entry(namespaceNameKey(n.OrganizationID, n.Name), []byte(n.ID))
}

// Promise: a report has at most 100 findings and counts everything that was
// checked.
func TestCheckReport(t *testing.T) {
	p := plant(t)
	r := p.check()
	if r.Sessions != 1 || r.Messages != 1 || r.Namespaces != 1 || r.Events == 0 || r.Entries < 3 {
		t.Errorf("got %+v", r)
	}
	for i := range 150 {
		k := namespaceNameKey("int_1", fmt.Sprint(i))
		p.entry(k, binary.BigEndian.AppendUint64(nil, uint64(i)))
	}
	if n := len(p.check().Findings); n != maxFindings {
		t.Errorf("got %d findings, want %d", n, maxFindings)
	}
}

// unchecked is a driver that is no Checker.
type unchecked struct{ driver.Driver }

func TestCheckOfAnEngineWithoutOne(t *testing.T) {
	s, err := OpenDriver(unchecked{memdriver.Open()}, Options{})
	adopt(t, s, err)
	if _, err := s.Check(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got error %v, want %v", err, errors.ErrUnsupported)
	}
}
