package sessionhttp

import (
	"errors"
	"net/http"
	"strings"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// remove answers DELETE /v1/agents/sessions/{session_id}.
func (x *exchange) remove() error {
	q, err := x.queryOf()
	if err != nil {
		return err
	}
	purge := q.flag("purge")
	if err := q.err(); err != nil {
		return err
	}
	if purge {
		return x.purge()
	}
	s, err := x.move(seshat.StatusTerminated, "", "")
	if err != nil {
		return err
	}
	x.tag(s)
	b := jsonout.Text(append(x.out, `{"session_id":`...), s.ID)
	b = jsonout.Text(append(b, `,"status":`...), s.Status.String())
	x.out = append(jsonout.Time(append(b, `,"terminated_at":`...), s.TerminatedAt), '}')
	return x.reply(http.StatusOK)
}

// purge erases the session with its log and state.
func (x *exchange) purge() error {
	if x.r.Header["If-Match"] != nil {
		return malformed("the header If-Match is not allowed with purge")
	}
	e, err := x.t.Delete(x.r.Context(), x.session)
	if err != nil {
		return err
	}
	x.out = jsonout.Text(append(x.out, `{"session_id":`...), x.session)
	return x.erased(&e)
}

// erased appends the counts of an erasure and replies.
func (x *exchange) erased(e *seshat.EraseReport) error {
	b := jsonout.Uint(append(x.out, `,"erased":{"sessions":`...), e.Sessions)
	b = jsonout.Uint(append(b, `,"messages":`...), e.Messages)
	b = jsonout.Uint(append(b, `,"bytes":`...), e.Bytes)
	b = jsonout.Uint(append(b, `,"entries":`...), e.Entries)
	x.out = append(b, '}', '}')
	return x.reply(http.StatusOK)
}

// deleteUser answers DELETE /v1/agents/users/{user_id}.
func (x *exchange) deleteUser() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	e, err := x.t.DeleteUser(x.r.Context(), x.user)
	if err != nil {
		return err
	}
	x.out = jsonout.Text(append(x.out, `{"user_id":`...), x.user)
	return x.erased(&e)
}

// transition answers POST /v1/agents/sessions/{session_id}/transition.
func (x *exchange) transition() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	f, err := x.form()
	if err != nil {
		return err
	}
	to := f.status("status", f.text("status", seshat.MaxNameBytes))
	if !f.given("status") {
		f.add("status", "is required")
	}
	reason := f.text("reason", seshat.MaxReasonBytes)
	actor := f.name("actor")
	f.checkName("reason", reason)
	f.done()
	if err := f.err(); err != nil {
		return err
	}
	s, err := x.move(to, reason, actor)
	if err != nil {
		return err
	}
	return x.replyChanged(s)
}

// status parses the name of a status. An empty name is no status.
func (f *form) status(field, name string) (s seshat.Status) {
	if name != "" && s.UnmarshalText([]byte(name)) != nil {
		f.add(f.path+field, "must be "+statusNames())
	}
	return s
}

// statusNames lists the statuses as a choice: a, b or c.
func statusNames() string {
	var names []string
	for _, s := range seshat.Statuses() {
		names = append(names, s.String())
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// move changes the status if If-Match holds.
func (x *exchange) move(to seshat.Status, reason, actor string) (*seshat.Session, error) {
	cond, err := x.ifMatch()
	if err != nil {
		return nil, err
	}
	o := seshat.TransitionOptions{Reason: reason, Actor: actor}
	if !cond.any {
		s, err := x.t.Get(x.r.Context(), x.session)
		if err != nil {
			return nil, err
		}
		if !cond.holds(s) {
			return nil, errStale
		}
		o.IfVersion = s.Version
	}
	s, err := x.t.Transition(x.r.Context(), x.session, to, o)
	if !cond.any && errors.Is(err, seshat.ErrConflict) {
		return nil, errStale
	}
	return s, err
}

// taken returns a conflict that names the id if err is ErrExists.
func (x *exchange) taken(id string, err error) error {
	if errors.Is(err, seshat.ErrExists) {
		return conflict("the session_id is taken", "exists", text("resource", "session"), text("id", id))
	}
	return err
}

// fork answers POST /v1/agents/sessions/{session_id}/fork.
func (x *exchange) fork() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	f, err := x.optionalForm()
	if err != nil {
		return err
	}
	fork := seshat.ForkOptions{ID: f.name("session_id")}
	if n := f.uint("seq", 1, 1<<63-1); n != nil {
		fork.Seq = *n
	}
	f.done()
	if err := f.err(); err != nil {
		return err
	}
	s, err := x.t.Fork(x.r.Context(), x.session, fork)
	if err != nil {
		return x.taken(fork.ID, err)
	}
	b := jsonout.Text(append(appendNew(x.out, s), `,"parent":{"session_id":`...), s.Parent.SessionID)
	b = jsonout.Uint(append(b, `,"seq":`...), s.Parent.Seq)
	return x.replyCreated(s, append(b, '}', '}'))
}
