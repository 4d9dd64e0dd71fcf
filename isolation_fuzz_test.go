package seshat_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// Promise: whatever the names of tenants, users and ids, no call returns
// another tenant's data or changes it. The input is a program: see step.
func FuzzIsolation(f *testing.F) {
	for _, program := range []string{
		"", "\x01a\x02ab\x03a/b\x00\x01a\x01u\x01\x01a\x01u",
		"\x01a\x01a\x01a\x01a\x00\x01s\x01u\x40\x01s\x01u\x80\x01s\x01u\x04\x01s\x01u\x45\x01s\x01u\x07\x01s\x01u",
		"\x04\xf4\x8f\xbf\xbf\x01 \x02..\x01/\x00\x02ss\x00\x01\x02ss\x01u\x06\x02ss\x01u\x47\x02ss\x01u",
		"\x01\x00\x01\x7f\x02\xc2\x80\x01\xff\x00\x00\x00\x01\x00\x00",
	} {
		f.Add([]byte(program))
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		i := &isolated{t: t, s: seshattest.Open(t).Store, program: program}
		for n := range i.spaces {
			i.spaces[n].open(i, i.text())
		}
		for len(i.program) > 0 {
			i.step()
		}
		for n := range i.spaces {
			i.spaces[n].compare(i)
		}
	})
}

// isolated runs one program on a store and on maps.
type isolated struct {
	t       *testing.T
	s       *seshat.Store
	program []byte
	spaces  [4]space
}

// space is one tenant and its expected content: the user of each session.
type space struct {
	name   string
	tenant *seshat.Tenant
	users  map[string]string
}

// byte consumes one byte of the program.
func (i *isolated) byte() byte {
	if len(i.program) == 0 {
		return 0
	}
	b := i.program[0]
	i.program = i.program[1:]
	return b
}

// text consumes a string: its length, then its bytes.
func (i *isolated) text() string {
	n := min(int(i.byte()), len(i.program))
	s := string(i.program[:n])
	i.program = i.program[n:]
	return s
}

// open creates the space's namespace. Spaces of the same name share it and its
// content.
func (p *space) open(i *isolated, name string) {
	for n := range i.spaces {
		if other := &i.spaces[n]; other.tenant != nil && other.name == name {
			*p = *other
			return
		}
	}
	tenant, err := i.s.EnsureTenant(i.t.Context(), seshat.Namespace{Name: name})
	if errors.Is(err, seshat.ErrInvalid) {
		tenant, err = i.s.CreateTenant(i.t.Context(), seshat.Namespace{Name: "fallback" +
			string(rune('0'+len(i.program)%10))})
		if errors.Is(err, seshat.ErrExists) {
			*p = i.spaces[0]
			return
		}
	}
	must(i.t, err)
	*p = space{name: name, tenant: tenant, users: map[string]string{}}
}

// step runs one instruction: a byte that selects the space and the call, then
// an id and a user.
func (i *isolated) step() {
	b := i.byte()
	p := &i.spaces[b>>6]
	id := i.text()
	user := i.text()
	switch b % 8 {
	case 0, 1:
		p.create(i, id, user)
	case 2:
		p.touch(i, id)
	case 3:
		p.rename(i, id)
	case 4:
		p.delete(i, id)
	case 5:
		p.deleteUser(i, user)
	case 6:
		p.append(i, id)
	case 7:
		p.compare(i)
	}
}

// got checks the session that a call returned, or its error if there must be
// none.
func (p *space) got(i *isolated, id string, s *seshat.Session, err error) {
	i.t.Helper()
	user, ok := p.users[id]
	if !ok {
		if !errors.Is(err, seshat.ErrNotFound) && !errors.Is(err, seshat.ErrInvalid) {
			i.t.Fatalf("%q in %q is not there: got %v, error %v", id, p.name, s, err)
		}
		return
	}
	must(i.t, err)
	p.mine(i, s)
	if s.ID != id || s.UserID != user {
		i.t.Fatalf("got %q of %q, want %q of %q", s.ID, s.UserID, id, user)
	}
}

// mine fails unless this space created the session.
func (p *space) mine(i *isolated, s *seshat.Session) {
	i.t.Helper()
	if s.NamespaceID != p.tenant.ID() || s.Metadata.Map()["made by"] != p.tenant.ID() {
		i.t.Fatalf("%q shows %q, which %v made", p.name, s.ID, s.Metadata.Map()["made by"])
	}
}

func (p *space) create(i *isolated, id, user string) {
	s, err := p.tenant.Create(i.t.Context(), seshat.NewSession{
		ID: id, UserID: user, Metadata: map[string]any{"made by": p.tenant.ID()},
	})
	switch _, taken := p.users[id]; {
	case err == nil && !taken:
		p.users[s.ID] = user
		p.got(i, s.ID, s, nil)
	case taken && errors.Is(err, seshat.ErrExists), errors.Is(err, seshat.ErrInvalid):
	default:
		i.t.Fatalf("create %q of %q in %q: got error %v", id, user, p.name, err)
	}
}

func (p *space) touch(i *isolated, id string) {
	s, err := p.tenant.Touch(i.t.Context(), id)
	p.got(i, id, s, err)
}

func (p *space) rename(i *isolated, id string) {
	s, err := p.tenant.Update(i.t.Context(), id, func(s *seshat.Session) error {
		p.mine(i, s)
		s.Name = "renamed"
		return nil
	}, seshat.UpdateOptions{})
	p.got(i, id, s, err)
}

func (p *space) append(i *isolated, id string) {
	s, err := p.tenant.Append(i.t.Context(), id, seshat.Message{Role: seshat.RoleUser, Content: p.tenant.ID()})
	p.got(i, id, s, err)
	for m, err := range p.tenant.Messages(i.t.Context(), id, seshat.HistoryQuery{}) {
		if _, ok := p.users[id]; !ok {
			p.got(i, id, nil, err)
			continue
		}
		if err != nil || m.Content != p.tenant.ID() {
			i.t.Fatalf("the log of %q in %q: got %q, error %v", id, p.name, m.Content, err)
		}
	}
}

func (p *space) delete(i *isolated, id string) {
	erased, err := p.tenant.Delete(i.t.Context(), id)
	if _, ok := p.users[id]; ok {
		must(i.t, err)
		if erased.Sessions != 1 {
			i.t.Fatalf("delete of %q in %q: %+v", id, p.name, erased)
		}
	}
	delete(p.users, id)
}

func (p *space) deleteUser(i *isolated, user string) {
	erased, err := p.tenant.DeleteUser(i.t.Context(), user)
	if errors.Is(err, seshat.ErrInvalid) {
		return
	}
	must(i.t, err)
	before := len(p.users)
	maps.DeleteFunc(p.users, func(_, of string) bool { return of == user })
	if erased.Sessions != uint64(before-len(p.users)) {
		i.t.Fatalf("delete of user %q in %q: %+v, want %d sessions", user, p.name, erased, before-len(p.users))
	}
}

// compare compares everything that the space shows.
func (p *space) compare(i *isolated) {
	var ids []string
	byUser := map[string]uint64{}
	for s, err := range p.tenant.Sessions(i.t.Context(), seshat.Query{Limit: 2}) {
		must(i.t, err)
		p.mine(i, s)
		got, err := p.tenant.Get(i.t.Context(), s.ID)
		p.got(i, s.ID, got, err)
		ids = append(ids, s.ID)
		byUser[s.UserID]++
	}
	if want := slices.Sorted(maps.Keys(p.users)); !slices.Equal(slices.Sorted(slices.Values(ids)), want) {
		i.t.Fatalf("%q lists %q, want %q", p.name, ids, want)
	}
	for user, want := range byUser {
		if n, err := p.tenant.Count(i.t.Context(), seshat.Query{UserID: user}); user != "" &&
			(err != nil || n != want) {
			i.t.Fatalf("%q counts %d sessions of %q, error %v, want %d", p.name, n, user, err, want)
		}
	}
}
