package transfer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"maps"
	"slices"

	"github.com/seshatdb/seshat"
)

// ExportSession writes one session to w, in the form of [ExportTenant]. It
// returns seshat.ErrNotFound if the session does not exist or ends during the
// export.
func ExportSession(ctx context.Context, t *seshat.Tenant, id string, w io.Writer) (Counts, error) {
	s, err := t.Get(ctx, id)
	if err != nil {
		return Counts{}, err
	}
	return export(w, func(x *exporter) error {
		if err := x.namespace(ctx, t); err != nil {
			return err
		}
		if err := x.session(ctx, t, s); err != nil || x.n.Sessions == 1 {
			return err
		}
		return seshat.ErrNotFound
	})
}

// ExportUser writes the state and the sessions of a user to w, in the form of
// [ExportTenant].
func ExportUser(ctx context.Context, t *seshat.Tenant, user string, w io.Writer) (Counts, error) {
	return export(w, func(x *exporter) error {
		if err := x.namespace(ctx, t); err != nil {
			return err
		}
		if err := x.state(ctx, t, seshat.UserScope(user), scopeUser, user); err != nil {
			return err
		}
		return x.sessions(ctx, t, seshat.Query{UserID: user})
	})
}

// ExportTenant writes the namespace, its state and its sessions to w and
// returns their counts. Sessions are ordered by creation, oldest first. It
// reads in pages and holds no transaction while it writes. The caller flushes
// and syncs w. After an error w lacks its last line. Errors are those of the
// store and of w.
func ExportTenant(ctx context.Context, t *seshat.Tenant, w io.Writer) (Counts, error) {
	return export(w, func(x *exporter) error { return x.tenant(ctx, t) })
}

// ExportStore writes all namespaces to w, in the form of [ExportTenant]. Only
// the operator of the store should call it. A namespace that is deleted during
// the export may be written in part.
func ExportStore(ctx context.Context, s *seshat.Store, w io.Writer) (Counts, error) {
	return export(w, func(x *exporter) error {
		for n, err := range s.AllNamespaces(ctx) {
			if err != nil {
				return err
			}
			t, err := s.Tenant(ctx, seshat.Namespace{ID: n.ID, OrganizationID: n.OrganizationID})
			if err == nil {
				err = x.tenant(ctx, t)
			}
			if err != nil && !errors.Is(err, seshat.ErrNotFound) {
				return err
			}
		}
		return nil
	})
}

// exporter writes lines, counts them and computes their checksum.
type exporter struct {
	w   *bufio.Writer
	sum hash.Hash
	n   Counts
}

func export(w io.Writer, body func(*exporter) error) (Counts, error) {
	x := &exporter{w: bufio.NewWriterSize(w, 64<<10), sum: sha256.New()}
	if err := x.write(header{Format: formatName, Version: formatVersion}); err != nil {
		return x.n, err
	}
	if err := body(x); err != nil {
		return x.n, errors.Join(err, x.w.Flush())
	}
	end := line{Type: typeEnd, Counts: &x.n, SHA256: hex.EncodeToString(x.sum.Sum(nil))}
	if err := x.write(end); err != nil {
		return x.n, err
	}
	return x.n, x.w.Flush()
}

func (x *exporter) write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	_, _ = x.sum.Write(b)
	_, err = x.w.Write(b)
	return err
}

func (x *exporter) namespace(ctx context.Context, t *seshat.Tenant) error {
	n, err := t.Namespace(ctx)
	if err != nil {
		return err
	}
	x.n.Namespaces++
	return x.write(line{Type: typeNamespace, Namespace: &namespace{
		Name: n.Name, OrganizationID: n.OrganizationID, Lifecycle: n.Lifecycle, Quotas: n.Quotas,
	}})
}

func (x *exporter) tenant(ctx context.Context, t *seshat.Tenant) error {
	if err := x.namespace(ctx, t); err != nil {
		return err
	}
	if err := x.state(ctx, t, seshat.NamespaceScope(), scopeNamespace, ""); err != nil {
		return err
	}
	for user, err := range t.StateUsers(ctx) {
		if err != nil {
			return err
		}
		if err := x.state(ctx, t, seshat.UserScope(user), scopeUser, user); err != nil {
			return err
		}
	}
	return x.sessions(ctx, t, seshat.Query{})
}

// state writes the values of a scope, one a line, sorted by key.
func (x *exporter) state(ctx context.Context, t *seshat.Tenant, scope seshat.Scope, name, user string) error {
	values, err := t.State(ctx, scope)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		l, err := stateLine(name, user, map[string]any{key: values[key]})
		if err != nil {
			return err
		}
		if err := x.write(l); err != nil {
			return err
		}
		x.n.States++
	}
	return nil
}

// sessionsPage is the number of sessions that one call lists.
const sessionsPage = 64

func (x *exporter) sessions(ctx context.Context, t *seshat.Tenant, q seshat.Query) error {
	q.OldestFirst = true
	q.Limit = sessionsPage
	for s, err := range t.Sessions(ctx, q) {
		if err != nil {
			return err
		}
		if err := x.session(ctx, t, s); err != nil {
			return err
		}
	}
	return nil
}

// maxTries is the number of times that a session is written if its log is
// edited during the export.
const maxTries = 8

// session writes one session. If the session ended or was edited meanwhile,
// session voids the lines that it wrote.
func (x *exporter) session(ctx context.Context, t *seshat.Tenant, s *seshat.Session) error {
	for range maxTries {
		before := x.n
		err := x.sessionOnce(ctx, t, s)
		whole := x.n.Messages-before.Messages == s.MessageCount
		if err != nil && !errors.Is(err, seshat.ErrNotFound) {
			return err
		}
		now, getErr := t.Get(ctx, s.ID)
		lives := getErr == nil && now.CreatedAt.Equal(s.CreatedAt)
		switch {
		case getErr != nil && !errors.Is(getErr, seshat.ErrNotFound):
			return getErr
		case lives && err == nil && whole:
			return nil
		}
		x.n = before
		if err := x.write(line{Type: typeVoid}); err != nil || !lives {
			return err
		}
		s = now
	}
	return &seshat.Error{Op: "Export", ID: s.ID, Err: seshat.ErrConflict}
}

func (x *exporter) sessionOnce(ctx context.Context, t *seshat.Tenant, s *seshat.Session) error {
	l, err := sessionLine(*s)
	if err != nil {
		return err
	}
	if err := x.write(l); err != nil {
		return err
	}
	x.n.Sessions++
	if err := x.state(ctx, t, seshat.SessionScope(s.ID), scopeSession, ""); err != nil {
		return err
	}
	return x.log(ctx, t, s)
}

func (x *exporter) log(ctx context.Context, t *seshat.Tenant, s *seshat.Session) error {
	if s.LastSeq == 0 {
		return nil
	}
	for m, err := range t.Messages(ctx, s.ID, seshat.HistoryQuery{ToSeq: s.LastSeq}) {
		if err != nil {
			return err
		}
		l, err := messageLine(&m)
		if err != nil {
			return err
		}
		if err := x.write(l); err != nil {
			return err
		}
		x.n.Messages++
	}
	return nil
}
