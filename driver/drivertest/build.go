package drivertest

import (
	"errors"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// edit changes a record before a check writes it.
type edit func(*driver.Record)

func byUser(user string) edit { return func(r *driver.Record) { r.UserID = user } }

func withStatus(status uint8) edit { return func(r *driver.Record) { r.Status = status } }

func expiring(at int64) edit { return func(r *driver.Record) { r.Expires = at } }

func dueAt(at int64) edit { return func(r *driver.Record) { r.Due = at } }

func createdAt(at int64) edit { return func(r *driver.Record) { r.Created = at } }

func activeAt(at int64) edit { return func(r *driver.Record) { r.ActiveMinute = at / minute } }

// labelled returns an edit that sets labels. Pairs alternate names and values,
// with names ascending.
func labelled(pairs ...string) edit {
	return func(r *driver.Record) {
		r.Labels = nil
		for i := 0; i < len(pairs); i += 2 {
			r.Labels = append(r.Labels, driver.Label{Name: pairs[i], Value: pairs[i+1]})
		}
	}
}

const minute int64 = 60_000 // milliseconds

func key(namespace uint64, id string) driver.Key {
	return driver.Key{Namespace: namespace, ID: id}
}

// record returns a new record that never expires and is never due.
func (e *env) record(k driver.Key, edits ...edit) *driver.Record {
	r := &driver.Record{
		Key: k, Incarnation: e.incarnation(), Version: 1, NextSeq: 1,
		Created: start, ActiveMinute: start / minute, Due: driver.Never, Expires: driver.Never,
		Body: []byte("body of " + k.ID),
	}
	for _, edit := range edits {
		edit(r)
	}
	r.Bytes = uint64(len(r.Body))
	return r
}

// op returns an op on k whose plan returns c, whatever it sees.
func (e *env) op(k driver.Key, c driver.Change) *driver.Op {
	return e.plan(driver.Target{Key: k}, func(driver.View) (driver.Change, error) { return c, nil })
}

func (e *env) plan(t driver.Target, plan func(driver.View) (driver.Change, error)) *driver.Op {
	return &driver.Op{Target: t, Clock: e.now.Load, Plan: plan}
}

// mutate applies c to k in one op and returns its outcome.
func (e *env) mutate(k driver.Key, c driver.Change) error {
	o := e.op(k, c)
	if err := e.d.Mutate(e.ctx, o); !errors.Is(err, o.Err) || (err == nil) != (o.Err == nil) {
		fail(1, "Mutate returned %v, and its only op has %v", err, o.Err)
	}
	return o.Err
}

// change applies c to k in one op, which must succeed.
func (e *env) change(k driver.Key, c driver.Change) {
	if err := e.mutate(k, c); err != nil {
		fail(2, "Mutate: %v", err)
	}
}

// create writes a new record at k and returns it.
func (e *env) create(k driver.Key, edits ...edit) *driver.Record {
	r := e.record(k, edits...)
	if err := e.mutate(k, driver.Change{Put: r}); err != nil {
		fail(2, "create: %v", err)
	}
	return r
}

// put applies edits to r and writes it as its next version.
func (e *env) put(r *driver.Record, edits ...edit) {
	for _, edit := range edits {
		edit(r)
	}
	r.Version++
	if err := e.mutate(r.Key, driver.Change{Put: r}); err != nil {
		fail(2, "put: %v", err)
	}
}

// view returns a copy of the view that a Plan gets of t.
func (e *env) view(t driver.Target) (v driver.View) {
	err := e.d.Mutate(e.ctx, e.plan(t, func(seen driver.View) (driver.Change, error) {
		v = cloneView(&seen)
		return driver.Change{}, nil
	}))
	if err != nil {
		fail(2, "Mutate: %v", err)
	}
	return v
}

func message(seq uint64, id, body string) driver.Message {
	m := driver.Message{Seq: seq, ID: id, Body: []byte(body)}
	copy(m.Digest[:], "digest of "+id)
	return m
}

// appendTo appends messages m1, m2 and so on with these bodies to the log of r.
func (e *env) appendTo(r *driver.Record, bodies ...string) []driver.Message {
	var ms []driver.Message
	for _, body := range bodies {
		ms = append(ms, message(r.NextSeq, fmt.Sprintf("m%d", r.NextSeq), body))
		r.NextSeq++
		r.Messages++
		r.Bytes += uint64(len(body))
	}
	if err := e.mutate(r.Key, driver.Change{Put: r, Append: ms}); err != nil {
		fail(2, "append: %v", err)
	}
	return ms
}

// dropSpan removes a span, whose messages have these bodies, from the log of r.
func (e *env) dropSpan(r *driver.Record, span driver.Span, bodies ...string) {
	for _, body := range bodies {
		r.Messages--
		r.Bytes -= uint64(len(body))
	}
	if err := e.mutate(r.Key, driver.Change{Put: r, Drop: []driver.Span{span}}); err != nil {
		fail(2, "drop: %v", err)
	}
}

// cloneView copies the parts of v that are valid only until Plan returns.
func cloneView(v *driver.View) driver.View {
	c := *v
	c.Live = nil
	if v.Record != nil {
		c.Record = cloneRecord(v.Record)
	}
	c.Refs = append([]driver.Ref(nil), v.Refs...)
	c.Messages = nil
	c.Entries = nil
	for i := range v.Messages {
		c.Messages = append(c.Messages, cloneMessage(&v.Messages[i]))
	}
	for _, value := range v.Entries {
		c.Entries = append(c.Entries, cloneValue(value))
	}
	return c
}
