package main

import (
	"context"
	"strings"

	"github.com/seshatdb/seshat"
)

// call is a call to measure. n is unique among all goroutines. session is the
// number of a session that other goroutines rarely use.
type call struct {
	name   string
	spread bool // over many namespaces
	do     func(ctx context.Context, t *seshat.Tenant, session int) error
}

var calls = []call{
	{"create", false, create},
	{"append", false, appendOne},
	{"touch", false, touch},
	{"create, 16 namespaces", true, create},
	{"append, 16 namespaces", true, appendOne},
	{"touch, 16 namespaces", true, touch},
	{"get", false, func(ctx context.Context, t *seshat.Tenant, i int) error {
		_, err := t.Get(ctx, id(i))
		return err
	}},
	{"list 50 of a user", false, func(ctx context.Context, t *seshat.Tenant, i int) error {
		_, err := t.List(ctx, seshat.Query{UserID: user(i)})
		return err
	}},
	{"count", false, func(ctx context.Context, t *seshat.Tenant, _ int) error {
		_, err := t.Count(ctx, seshat.Query{Statuses: []seshat.Status{seshat.StatusActive}})
		return err
	}},
}

func create(ctx context.Context, t *seshat.Tenant, i int) error {
	_, err := t.Create(ctx,
		seshat.NewSession{UserID: user(i) + " made later", Agent: seshat.AgentConfig{Model: "gpt-4o"}})
	return err
}

var content = strings.Repeat("a word or two ", messageSize/14+1)[:messageSize]

func appendOne(ctx context.Context, t *seshat.Tenant, i int) error {
	_, err := t.Append(ctx, id(i), seshat.Message{Role: seshat.RoleUser, Content: content})
	return err
}

func touch(ctx context.Context, t *seshat.Tenant, i int) error {
	_, err := t.Touch(ctx, id(i))
	return err
}

// on makes the call on the ith of n sessions.
func (c *call) on(ctx context.Context, s *store, i, n int) error {
	i = i * 7919 % n // far from the one before
	if c.spread {
		return c.do(ctx, s.many[i%namespaces], i)
	}
	return c.do(ctx, s.one, i)
}
