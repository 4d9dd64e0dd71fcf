package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"reflect"

	"github.com/seshatdb/seshat"
)

// Import reads an export of one namespace into the tenant t, which keeps its
// own name and policy. It reads and writes in bounded pieces. Sessions become
// visible one by one, each of them complete. After an error, the sessions
// imported so far stay; to continue, run it again with Skip.
//
// Errors are those of the store, and ErrFormat, ErrLineTooLong, ErrTruncated
// and ErrCorrupt in a [LineError] that has the line.
func Import(ctx context.Context, t *seshat.Tenant, r io.Reader, o Options) (Report, error) {
	found := false
	return importAll(ctx, r, o, func(context.Context, *namespace) (*seshat.Tenant, error) {
		if found {
			return nil, malformed("a second namespace; use ImportStore")
		}
		found = true
		return t, nil
	})
}

// ImportStore reads an export into namespaces of the same names. It creates
// missing namespaces with the exported policy. Otherwise it works like
// [Import].
func ImportStore(ctx context.Context, s *seshat.Store, r io.Reader, o Options) (Report, error) {
	return importAll(ctx, r, o, func(ctx context.Context, n *namespace) (*seshat.Tenant, error) {
		return s.EnsureTenant(ctx, seshat.Namespace{
			Name: n.Name, OrganizationID: n.OrganizationID, Lifecycle: n.Lifecycle, Quotas: n.Quotas,
		})
	})
}

// importer is a running import: one goroutine reads lines, and those of the
// pool write sessions.
type importer struct {
	in     *lines
	sum    hash.Hash
	o      Options
	pool   *pool
	tally  tally
	n      Counts // lines read so far
	tenant func(context.Context, *namespace) (*seshat.Tenant, error)

	t       *seshat.Tenant // of the current namespace
	scope   stateOf        // scope of the current state
	values  map[string]any // its values, not merged yet
	session *restoring     // current session, nil = none
}

// stateOf is a scope other than a session's.
type stateOf struct{ name, user string }

func (s stateOf) scope() seshat.Scope {
	if s.name == scopeUser {
		return seshat.UserScope(s.user)
	}
	return seshat.NamespaceScope()
}

func importAll(ctx context.Context, r io.Reader, o Options,
	tenant func(context.Context, *namespace) (*seshat.Tenant, error),
) (Report, error) {
	i := &importer{
		in: newLines(r, o.MaxLine), sum: sha256.New(), o: o,
		pool: newPool(ctx, o.workers()), tenant: tenant,
	}
	err := i.read()
	if i.session != nil {
		i.session.end(errUnfinished)
	}
	err = i.pool.wait(err)
	return i.tally.report(), err
}

// errUnfinished reports that the import ended before the session did. The
// import returns the cause.
var errUnfinished = errors.New("the lines of the session are incomplete")

func (i *importer) read() error {
	if err := i.header(); err != nil {
		return err
	}
	for {
		raw, err := i.next()
		if err != nil {
			return err
		}
		var l line
		if err := i.in.decode(&l); err != nil {
			return err
		}
		if l.Type == typeEnd {
			return i.end(&l)
		}
		_, _ = i.sum.Write(raw)
		if err := l.restore(); err != nil {
			return i.in.fail(err)
		}
		if err := i.take(&l); err != nil {
			return i.place(err)
		}
	}
}

// next reads a line. The end of the input is ErrTruncated.
func (i *importer) next() ([]byte, error) {
	if err := context.Cause(i.pool.ctx); err != nil {
		return nil, err
	}
	raw, err := i.in.next()
	if errors.Is(err, io.EOF) {
		i.in.n++
		err = i.in.fail(ErrTruncated)
	}
	return raw, err
}

// place adds the line to err, unless err has one.
func (i *importer) place(err error) error {
	var l *LineError
	if errors.As(err, &l) {
		return err
	}
	return i.in.fail(err)
}

func (i *importer) header() error {
	raw, err := i.next()
	if err != nil {
		return err
	}
	var h header
	if err := i.in.decode(&h); err != nil {
		return err
	}
	switch {
	case h.Format != formatName:
		return i.in.fail(malformed("not the first line of an export"))
	case h.Version < 1 || h.Version > formatVersion:
		return i.in.fail(malformed("version %d; this program reads up to version %d", h.Version, formatVersion))
	}
	_, _ = i.sum.Write(raw)
	return nil
}

func (i *importer) take(l *line) error {
	if l.Type != typeNamespace && i.t == nil {
		return malformed("the first namespace must come before this line")
	}
	switch {
	case l.Type == typeNamespace && l.Namespace != nil:
		return i.takeNamespace(l.Namespace)
	case l.Type == typeState && l.State != nil:
		return i.takeState(l)
	case l.Type == typeSession && l.Session != nil:
		return i.takeSession(l.Session)
	case l.Type == typeMessage && l.Message != nil && i.session != nil:
		i.n.Messages++
		i.session.takeMessage(i.pool.ctx, l.Message)
		return nil
	case l.Type == typeVoid && i.session != nil:
		i.takeBack()
		return nil
	}
	return malformed("the line is empty, of an unknown type, or not allowed here")
}

func (i *importer) takeNamespace(n *namespace) (err error) {
	if err := i.finish(); err != nil {
		return err
	}
	i.n.Namespaces++
	i.t, err = i.tenant(i.pool.ctx, n)
	return err
}

func (i *importer) takeSession(s *seshat.Session) error {
	if err := i.finish(); err != nil {
		return err
	}
	i.n.Sessions++
	i.session = newRestoring(i.t, s, i.in.n)
	job := i.session
	return i.pool.run(func(ctx context.Context) error { return job.run(ctx, i.o.Existing, &i.tally) })
}

// takeBack discards the current session, which changed during its export.
func (i *importer) takeBack() {
	i.n.Sessions--
	i.n.Messages -= i.session.messages
	i.n.States -= i.session.states
	i.session.end(errVoid)
	i.session = nil
}

func (i *importer) takeState(l *line) error {
	i.n.States++
	values := l.State.Map()
	if l.Scope == scopeSession {
		if i.session == nil || i.session.messages > 0 {
			return malformed("state of a session is not allowed here")
		}
		i.session.takeState(values)
		return nil
	}
	of := stateOf{l.Scope, l.UserID}
	if l.Scope != scopeUser && l.Scope != scopeNamespace || i.session != nil {
		return malformed("state of this scope is not allowed here")
	}
	if of != i.scope {
		if err := i.merge(); err != nil {
			return err
		}
	}
	if i.values == nil {
		i.scope = of
		i.values = map[string]any{}
	}
	for k, v := range values {
		i.values[k] = v
	}
	if len(i.values) > seshat.MaxStateKeys {
		return malformed("too many keys of state for a scope")
	}
	return nil
}

// merge writes the collected values of the scope.
func (i *importer) merge() error {
	if len(i.values) == 0 {
		return nil
	}
	ctx := i.pool.ctx
	scope := i.scope.scope()
	there, err := i.t.State(ctx, scope)
	if err != nil {
		return err
	}
	for key, value := range i.values {
		old, ok := there[key]
		if !ok {
			continue
		}
		if i.o.Existing == Fail && !reflect.DeepEqual(old, value) {
			return &seshat.Error{Op: "Import", Err: seshat.ErrExists}
		}
		delete(i.values, key)
	}
	if err := i.t.MergeState(ctx, scope, i.values); err != nil {
		return err
	}
	i.tally.add(func(r *Report) { r.States += uint64(len(i.values)) })
	i.values = nil
	return nil
}

// finish completes the current session and scope.
func (i *importer) finish() error {
	if i.session != nil {
		i.session.end(nil)
		i.session = nil
	}
	return i.merge()
}

// end checks the last line.
func (i *importer) end(l *line) error {
	switch {
	case l.Counts == nil || *l.Counts != i.n:
		return i.in.fail(ErrCorrupt)
	case l.SHA256 != hex.EncodeToString(i.sum.Sum(nil)):
		return i.in.fail(ErrCorrupt)
	}
	if err := i.finish(); err != nil {
		return i.place(err)
	}
	if _, err := i.in.next(); !errors.Is(err, io.EOF) {
		return i.in.fail(malformed("data after the last line"))
	}
	return nil
}
