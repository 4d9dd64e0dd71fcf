package sessionhttp

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/seshatdb/seshat"
)

// authorize authenticates the request and opens its namespace.
func (x *exchange) authorize() (err error) {
	if x.grant, err = x.o.Authenticate(x.r); err != nil {
		return authError(err)
	}
	if x.route.writes() && x.grant.ReadOnly {
		return errReadOnlyKey
	}
	name, err := x.namespace()
	if err != nil {
		return err
	}
	x.t, err = x.tenant(x.r.Context(), &x.grant, name)
	switch {
	case errors.Is(err, seshat.ErrNotFound):
		return notFound("namespace", name)
	case errors.Is(err, seshat.ErrInvalid):
		return malformed("the header X-Namespace is not a valid name or id of a namespace")
	}
	return err
}

// authError tells unknown callers from other failures.
func authError(err error) error {
	if errors.Is(err, seshat.ErrNotFound) || errors.Is(err, ErrUnauthenticated) {
		return errUnauthenticated
	}
	return err
}

// bearer is the default of Options.Authenticate.
func (h *handler) bearer(r *http.Request) (Grant, error) {
	scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return Grant{}, ErrUnauthenticated
	}
	k, err := h.store.Authenticate(r.Context(), strings.TrimLeft(secret, " "))
	if err != nil {
		return Grant{}, err
	}
	return Grant{OrganizationID: k.OrganizationID, Namespaces: k.Namespaces, ReadOnly: k.ReadOnly, Subject: k.ID}, nil
}

// tenant returns the namespace with that name or id, if the grant opens it.
//
// If the grant lists its namespaces, the name is searched only among these. So
// the existence of other namespaces does not change what is read.
func (h *handler) tenant(ctx context.Context, g *Grant, name string) (*seshat.Tenant, error) {
	if len(g.Namespaces) == 0 {
		return h.store.Tenant(ctx, seshat.Namespace{OrganizationID: g.OrganizationID, Name: name})
	}
	if slices.Contains(g.Namespaces, name) {
		return h.store.Tenant(ctx, seshat.Namespace{OrganizationID: g.OrganizationID, ID: name})
	}
	for _, id := range g.Namespaces {
		t, err := h.store.Tenant(ctx, seshat.Namespace{OrganizationID: g.OrganizationID, ID: id})
		if errors.Is(err, seshat.ErrNotFound) {
			continue // deleted in the meantime
		}
		if err != nil {
			return nil, err
		}
		switch n, err := t.Namespace(ctx); {
		case err == nil && n.Name == name:
			return t, nil
		case err != nil && !errors.Is(err, seshat.ErrNotFound):
			return nil, err
		}
	}
	return nil, seshat.ErrNotFound
}

// stillGranted authenticates a long request again.
func (x *exchange) stillGranted() error {
	g, err := x.o.Authenticate(x.r)
	if err != nil {
		return authError(err)
	}
	if g.OrganizationID != x.grant.OrganizationID || len(g.Namespaces) > 0 && !slices.Contains(g.Namespaces, x.t.ID()) {
		return errUnauthenticated
	}
	return nil
}
