package main

import (
	"context"

	"github.com/seshatdb/seshat"
)

// CreateNamespace creates a namespace.
func (f *file) CreateNamespace(ctx context.Context, n seshat.Namespace) (seshat.Namespace, error) {
	t, err := f.store.CreateTenant(ctx, n)
	if err != nil {
		return n, err
	}
	return t.Namespace(ctx)
}

// SetNamespace renames a namespace and replaces its policy.
func (f *file) SetNamespace(ctx context.Context, c namespaceChange) (done namespaceChanged, err error) {
	t, err := f.store.Tenant(ctx, c.Place.ref())
	if err != nil {
		return done, err
	}
	if c.Lifecycle != nil {
		if err := t.SetLifecycle(ctx, *c.Lifecycle); err != nil {
			return done, err
		}
	}
	if c.Quotas != nil {
		if err := t.SetQuotas(ctx, *c.Quotas); err != nil {
			return done, err
		}
	}
	if c.Name != "" {
		if err := t.Rename(ctx, c.Name); err != nil {
			return done, err
		}
	}
	if c.Apply {
		r, err := t.ApplyPolicy(ctx)
		if err != nil {
			return done, err
		}
		done.Changed = r.Changed
	}
	done.Namespace, err = t.Namespace(ctx)
	return done, err
}

// DeleteNamespace erases a namespace with all of its sessions and state.
func (f *file) DeleteNamespace(ctx context.Context, p place) (seshat.EraseReport, error) {
	t, err := f.store.Tenant(ctx, p.ref())
	if err != nil {
		return seshat.EraseReport{}, err
	}
	return t.DeleteNamespace(ctx)
}
