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

// Import reads an export of one namespace into the tenant t, whose own name
// and policy stay as they are. It reads and writes in bounded pieces: sessions
// become visible one by one, each of them whole, and those that were imported
// before an error stay. With Skip, another run goes on with the rest.
//
// Errors are those of the store and, in a [LineError] that says where,
// ErrFormat, ErrLineTooLong, ErrTruncated and ErrCorrupt.
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

// ImportStore reads an export into the namespaces of the same names, which are
// made, with their policy, where there are none. Everything else is as of
// [Import].
func ImportStore(ctx context.Context, s *seshat.Store, r io.Reader, o Options) (Report, error) {
	return importAll(ctx, r, o, func(ctx context.Context, n *namespace) (*seshat.Tenant, error) {
		return s.EnsureTenant(ctx, seshat.Namespace{
			Name: n.Name, OrganizationID: n.InternalID, Lifecycle: n.Lifecycle, Quotas: n.Quotas,
		})
	})
}

// importer is an import under way: one goroutine that reads lines, and the
// pool's that write sessions.
type importer struct {
	in     *lines
	sum    hash.Hash
	o      Options
	pool   *pool
	tally  tally
	n      Counts // of lines
	tenant func(context.Context, *namespace) (*seshat.Tenant, error)

	t       *seshat.Tenant // of the namespace's line
	scope   stateOf        // whose state comes
	values  map[string]any // of it, not merged yet
	session *restoring     // whose state and log come; nil = none
}

// stateOf is a scope that is not a session's.
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

// errUnfinished: the import ended before the session did. Its cause is told
// elsewhere.
var errUnfinished = errors.New("the session's lines were not read to their end")

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

// next reads a line that must be there.
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

// place says where err came up, unless it says so itself.
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
		return i.in.fail(malformed("it is not the head of an export"))
	case h.Version < 1 || h.Version > formatVersion:
		return i.in.fail(malformed("version %d, but this program reads up to %d", h.Version, formatVersion))
	}
	_, _ = i.sum.Write(raw)
	return nil
}

func (i *importer) take(l *line) error {
	if l.Type != typeNamespace && i.t == nil {
		return malformed("a line of type %q before the first namespace", l.Type)
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
	return malformed("a line of type %q may not stand here, or holds nothing", l.Type)
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

// takeBack forgets a session that changed while it was exported.
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
			return malformed("state of a session stands behind its session's line")
		}
		i.session.takeState(values)
		return nil
	}
	of := stateOf{l.Scope, l.UserID}
	if l.Scope != scopeUser && l.Scope != scopeNamespace || i.session != nil {
		return malformed("state of scope %q may not stand here", l.Scope)
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
		return malformed("more keys of state than a scope has")
	}
	return nil
}

// merge writes the state that was collected for a scope.
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

// finish ends what the next session or namespace follows.
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
		return i.in.fail(malformed("something follows the last line"))
	}
	return nil
}
