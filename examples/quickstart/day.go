package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seshatdb/seshat"
)

// clock is the clock of the story.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{now: time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)} }

// Now returns the time of the story to the store.
func (c *clock) Now() time.Time { return c.now }

// day is the story.
type day struct {
	ctx          context.Context
	w            io.Writer
	store        *seshat.Store
	clock        *clock
	acme, globex *seshat.Tenant
}

// tell lets time pass and prints a line of the story.
func (d *day) tell(after time.Duration, text string) {
	d.clock.now = d.clock.now.Add(after)
	fmt.Fprintf(d.w, "\n%s  %s\n", d.clock.now.Format("Mon 15:04"), text)
}

func (d *day) show() error { return show(d.ctx, d.w, d.store) }

// tenants creates two namespaces, which never see each other's sessions. Their
// lifecycles apply to new sessions.
func (d *day) tenants() (err error) {
	d.acme, err = d.store.EnsureTenant(d.ctx, seshat.Namespace{
		Name:      "acme",
		Lifecycle: seshat.Lifecycle{IdleAfter: 30 * time.Minute, ArchiveAfter: 24 * time.Hour},
	})
	if err != nil {
		return err
	}
	d.globex, err = d.store.EnsureTenant(d.ctx, seshat.Namespace{
		Name:      "globex",
		Lifecycle: seshat.Lifecycle{TTL: time.Hour, Expiry: seshat.ExpiryAbsolute},
	})
	return err
}

// morning creates sessions. Here they get ids that are easy to read; by default
// the store makes an id such as "ses_…".
func (d *day) morning() error {
	d.tell(0, "Sessions begin. Their first lines become their names.")
	agent := seshat.AgentConfig{Model: "gpt-4o", Temperature: seshat.Ptr(0.2), AvailableTools: []string{"find_flights"}}
	for _, s := range []struct {
		t        *seshat.Tenant
		id, user string
		says     string
	}{
		{d.acme, "flight", "mia", "Book me a flight to Seattle.\nNot before ten, please."},
		{d.acme, "refund", "noah", "Where is my refund?"},
		{d.acme, "survey", "", "I would like to take part in the survey."},
		{d.globex, "visitor", "", "Do you open on Sundays?"},
	} {
		if _, err := s.t.Create(d.ctx, seshat.NewSession{ID: s.id, UserID: s.user, Agent: agent}); err != nil {
			return err
		}
		if _, err := s.t.Append(d.ctx, s.id, seshat.Message{Role: seshat.RoleUser, Content: s.says}); err != nil {
			return err
		}
	}
	if err := d.answer(); err != nil {
		return err
	}
	if _, err := d.acme.Transition(d.ctx, "survey", seshat.StatusArchived,
		seshat.TransitionOptions{Reason: "done", Actor: "noah"}); err != nil {
		return err
	}
	return d.show()
}

// answer appends a turn: all of its messages or none.
func (d *day) answer() error {
	_, err := d.acme.Append(d.ctx, "flight",
		seshat.Message{
			Role: seshat.RoleAssistant, ContentType: seshat.ContentToolCall,
			ToolName: "find_flights", ToolCallID: "call_1", ToolInputs: []byte(`{"to":"SEA","after":"10:00"}`),
		},
		seshat.Message{
			Role: seshat.RoleTool, ContentType: seshat.ContentToolResult,
			ToolName: "find_flights", ToolCallID: "call_1", ToolOutputs: []byte(`["HAT136"]`),
		},
		seshat.Message{Role: seshat.RoleAssistant, Content: "HAT136 leaves at 10:40. Shall I book it?"})
	return err
}

// idle runs a sweep, which makes sessions idle. In a service the sweeper runs
// by itself.
func (d *day) idle() error {
	d.tell(45*time.Minute, "No messages for a while.")
	r, err := d.store.Sweep(d.ctx, seshat.SweepOptions{})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.w, "sweep: %d became idle\n", r.Idled)
	return d.show()
}

// wake appends a message, which makes an idle session active again.
func (d *day) wake() error {
	d.tell(5*time.Minute, "Noah asks again, which wakes his session. The archived one is read-only.")
	if _, err := d.acme.Append(d.ctx, "refund", seshat.Message{Role: seshat.RoleUser, Content: "Hello?"}); err != nil {
		return err
	}
	_, err := d.acme.Append(d.ctx, "survey", seshat.Message{Role: seshat.RoleUser, Content: "One more thing"})
	if !errors.Is(err, seshat.ErrReadOnly) {
		return fmt.Errorf("an archived session took a message: %w", err)
	}
	fmt.Fprintln(d.w, err)
	return d.show()
}

// expire shows that a session is gone at its deadline, to the millisecond. The
// sweeper only removes sessions that nobody can see any more.
func (d *day) expire() error {
	d.tell(10*time.Minute, "Globex keeps sessions for an hour, and the hour is over.")
	_, err := d.globex.Get(d.ctx, "visitor")
	if !errors.Is(err, seshat.ErrNotFound) {
		return fmt.Errorf("an expired session was found: %w", err)
	}
	fmt.Fprintln(d.w, err)
	r, err := d.store.Sweep(d.ctx, seshat.SweepOptions{})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.w, "sweep: %d expired\n", r.Expired)
	return nil
}

func (d *day) nextDay() error {
	d.tell(24*time.Hour, "Sessions that were idle for a day are archived. The other tenant sees none of them.")
	r, err := d.store.Sweep(d.ctx, seshat.SweepOptions{})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.w, "sweep: %d became idle, %d archived\n", r.Idled, r.Archived)
	if _, err := d.globex.Get(d.ctx, "flight"); !errors.Is(err, seshat.ErrNotFound) {
		return fmt.Errorf("globex found a session of acme: %w", err)
	}
	return d.show()
}
