// Command format writes testdata/format_v1.db, a store's file that every later
// version has to open, and testdata/format_v1.txt, what it shows. It was run
// once, by the version that made the format; a new format gets a new file.
//
//	go run ./testdata/format testdata/format_v1
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/internal/fixture"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: format base")
		os.Exit(2)
	}
	if err := write(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write makes both files. The store is written as a backup, which holds no
// room to grow.
func write(ctx context.Context, base string) error {
	dir, err := os.MkdirTemp("", "format-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := &content{ctx: ctx, now: time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)}
	if c.s, err = seshat.Open(filepath.Join(dir, "seshat.db"), seshat.Options{Now: c.clock, SweepEvery: seshat.Never}); err != nil {
		return err
	}
	defer c.s.Close()
	c.fill()
	if c.err != nil {
		return c.err
	}
	text, err := fixture.Dump(ctx, c.s, fixture.DumpOptions{})
	if err != nil {
		return err
	}
	text = fmt.Sprintf("now: %s\nsecret: %s\n%s", c.now.Format(time.RFC3339), c.secret, text)
	if err := os.WriteFile(base+".txt", []byte(text), 0o644); err != nil {
		return err
	}
	f, err := os.Create(base + ".db")
	if err != nil {
		return err
	}
	if _, err := c.s.Backup(ctx, f); err != nil {
		return err
	}
	return f.Close()
}

// content fills a store. After the first error it does nothing more.
type content struct {
	ctx    context.Context
	s      *seshat.Store
	t      *seshat.Tenant
	now    time.Time
	secret string
	err    error
}

func (c *content) clock() time.Time { return c.now }

// keep notes an error, and lets time pass.
func (c *content) keep(err error) {
	if c.err == nil {
		c.err = err
	}
	c.now = c.now.Add(7 * time.Second)
}

func (c *content) tenant(n seshat.Namespace) {
	t, err := c.s.EnsureTenant(c.ctx, n)
	c.keep(err)
	if err == nil {
		c.t = t
	}
}

func (c *content) create(n seshat.NewSession) {
	_, err := c.t.Create(c.ctx, n)
	c.keep(err)
}

func (c *content) append(id string, turn seshat.Turn) {
	_, err := c.t.AppendTurn(c.ctx, id, turn)
	c.keep(err)
}

func (c *content) move(id string, to seshat.Status) {
	_, err := c.t.Transition(c.ctx, id, to, seshat.TransitionOptions{Reason: "for the record", Actor: "öperator"})
	c.keep(err)
}

func (c *content) merge(scope seshat.Scope, delta map[string]any) {
	c.keep(c.t.MergeState(c.ctx, scope, delta))
}

// values has every kind of value that a document holds.
func values() map[string]any {
	return map[string]any{
		"string": "ſtraße \U0001F3DB", "int": int64(-7), "uint": ^uint64(0), "float": 0.1, "true": true, "nothing": []any{nil},
		"bytes": []byte{0, 255}, "time": time.Date(1999, 12, 31, 23, 59, 59, 5e8, time.UTC),
		"list": []any{int64(1), "two", []any{}}, "map": map[string]any{"": map[string]any{"deep": int64(1) << 40}},
	}
}

func (c *content) fill() {
	for _, n := range []seshat.Namespace{
		{Name: "empty"}, {Name: "a/b \U0001F98B", OrganizationID: "int_ørg", Quotas: seshat.NamespaceQuotas{MaxSessions: 9, MaxBytes: 1 << 20}},
		{Name: "acme", Lifecycle: seshat.Lifecycle{TTL: 48 * time.Hour, IdleAfter: time.Hour, ArchiveAfter: seshat.Never, Retention: 24 * time.Hour}},
	} {
		c.tenant(n)
		if n.Name != "empty" {
			c.sessions()
		}
	}
	c.log()
	c.edits()
	c.ends()
	c.keys()
}
