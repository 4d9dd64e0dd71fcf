// Package dump writes down all that a store shows through its public calls, in
// one text that is equal for stores that hold the same. Tests compare by it.
package dump

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/seshatdb/seshat"
)

// Options say what a dump leaves out.
type Options struct {
	NoFeeds bool // change feeds
}

// Store returns all of the store: one line for each namespace, session,
// message, state, event and key. Ids of namespaces are left out.
func Store(ctx context.Context, s *seshat.Store, o Options) (string, error) {
	d := dumper{ctx: ctx, s: s, o: o, orgs: map[string]bool{seshat.DefaultOrganization: true}}
	for n, err := range s.AllNamespaces(ctx) {
		d.keep(err)
		if err == nil {
			d.orgs[n.InternalID] = true
			d.namespace(n)
		}
	}
	for _, org := range slices.Sorted(maps.Keys(d.orgs)) {
		for key, err := range s.Keys(ctx, org) {
			d.keep(err)
			d.line("key of "+org, key)
		}
	}
	return d.out.String(), d.err
}

type dumper struct {
	ctx  context.Context
	s    *seshat.Store
	o    Options
	out  bytes.Buffer
	err  error // the first
	orgs map[string]bool
	id   string // of the namespace
	name string
}

func (d *dumper) keep(err error) {
	if d.err == nil {
		d.err = err
	}
}

// line writes one value as JSON, whose maps are sorted.
func (d *dumper) line(what string, v any) {
	var b []byte
	var err error
	if m, ok := v.(json.Marshaler); ok {
		b, err = m.MarshalJSON() // package json would read it all once more
	} else {
		b, err = json.Marshal(v)
	}
	d.keep(err)
	if d.id != "" {
		b = bytes.ReplaceAll(b, []byte(d.id), []byte("(namespace)"))
	}
	d.out.WriteString(what)
	d.out.WriteString(": ")
	d.out.Write(b)
	d.out.WriteByte('\n')
}

func (d *dumper) namespace(n seshat.Namespace) {
	t, err := d.s.Tenant(d.ctx, n)
	if err != nil {
		d.keep(err)
		return
	}
	d.id, d.name = n.ID, n.InternalID+"/"+n.Name
	d.line("namespace", n)
	usage, err := t.Usage(d.ctx)
	d.keep(err)
	d.line(d.name+" usage", usage)
	users := d.sessions(t)
	d.activity(t)
	for user, err := range t.StateUsers(d.ctx) {
		d.keep(err)
		users[user] = true
	}
	d.states(t, users)
	if !d.o.NoFeeds {
		d.feed(t)
	}
}

// sessions writes the sessions, oldest first, and returns their users.
func (d *dumper) sessions(t *seshat.Tenant) map[string]bool {
	users := map[string]bool{}
	for s, err := range t.Sessions(d.ctx, seshat.Query{OldestFirst: true}) {
		if d.keep(err); err != nil {
			return users
		}
		users[s.UserID] = true
		got, err := t.Get(d.ctx, s.ID)
		d.keep(err)
		d.line(d.name+" session", got)
		d.line(d.name+" listed", s)
		for m, err := range t.Messages(d.ctx, s.ID) {
			d.keep(err)
			d.line(fmt.Sprintf("%s message of %q", d.name, s.ID), m)
		}
		state, err := t.State(d.ctx, seshat.SessionState(s.ID))
		d.keep(err)
		d.line(fmt.Sprintf("%s state of %q", d.name, s.ID), state)
	}
	return users
}

// activity writes the other order of the list, and that by user.
func (d *dumper) activity(t *seshat.Tenant) {
	var ids []string
	for s, err := range t.Sessions(d.ctx, seshat.Query{Order: seshat.ByActivity}) {
		if d.keep(err); err != nil {
			return
		}
		ids = append(ids, s.ID)
	}
	d.line(d.name+" by activity", ids)
}

func (d *dumper) states(t *seshat.Tenant, users map[string]bool) {
	of := map[string]map[string]any{}
	counts := map[string]uint64{}
	for user := range users {
		if user == "" {
			continue
		}
		var err error
		of[user], err = t.State(d.ctx, seshat.UserState(user))
		d.keep(err)
		counts[user], err = t.Count(d.ctx, seshat.Query{User: user})
		d.keep(err)
	}
	d.line(d.name+" state of users", of)
	d.line(d.name+" sessions of users", counts)
	state, err := t.State(d.ctx, seshat.NamespaceState())
	d.keep(err)
	d.line(d.name+" state", state)
}

func (d *dumper) feed(t *seshat.Tenant) {
	for e, err := range events(d.ctx, t) {
		d.keep(err)
		d.line(d.name+" event", e)
	}
}

// events returns what the feed still has.
func events(ctx context.Context, t *seshat.Tenant) iter.Seq2[seshat.Event, error] {
	return func(yield func(seshat.Event, error) bool) {
		for since := uint64(0); ; {
			page, _, err := t.Events(ctx, since, seshat.MaxEvents)
			var lagged *seshat.LaggedError
			if errors.As(err, &lagged) {
				since = lagged.Oldest
				continue
			}
			if err != nil {
				yield(seshat.Event{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			since = page[len(page)-1].Position
		}
	}
}
