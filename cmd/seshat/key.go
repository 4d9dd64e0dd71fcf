package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

// newKey is a new API key with its secret, which no later call returns.
type newKey struct {
	seshat.APIKey
	Secret string `json:"secret"`
}

// shownKey is the JSON of an API key, with null for times that are not set.
type shownKey struct {
	seshat.APIKey
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	Secret     string     `json:"secret,omitempty"`
}

func newShownKey(k seshat.APIKey, secret string) shownKey {
	v := shownKey{APIKey: k, ExpiresAt: &k.ExpiresAt, LastUsedAt: &k.LastUsedAt, Secret: secret}
	nullZero(&v.ExpiresAt, &v.LastUsedAt)
	return v
}

// keyRef identifies an API key.
type keyRef struct {
	ID string `json:"key_id"`
}

func (a *app) keyCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "Create, list and revoke API keys",
		Args:  cobra.NoArgs,
		RunE:  needsVerb,
	}
	c.AddCommand(a.keyCreateCmd(), a.keyListCmd(), a.keyRevokeCmd())
	return c
}

func (a *app) keyCreateCmd() *cobra.Command {
	k := seshat.APIKey{}
	var life time.Duration
	c := &cobra.Command{
		Use:   "create",
		Short: "Create an API key and print its secret",
		Long: `Create an API key and print its secret. The store keeps only a hash of it, so it
cannot be printed again.

A key opens all namespaces of its organization (--org), or only those given with
--for.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			k.OrganizationID = a.target.org
			if life < 0 {
				return usagef("--expires-in: a negative duration is not allowed")
			}
			if life > 0 {
				k.ExpiresAt = time.Now().Add(life)
			}
			return a.operate(c, "key create", false, func(ctx context.Context, o operator) error {
				made, err := o.CreateKey(ctx, k)
				if err != nil {
					return err
				}
				return a.p.show(newShownKey(made.APIKey, made.Secret), func() { a.p.line("%s", made.Secret) })
			})
		},
	}
	f := c.Flags()
	f.StringVar(&k.Name, "name", "", "name of the key, for people")
	f.StringSliceVar(&k.Namespaces, "for", nil,
		"`namespace` that the key opens, by name or id; may be repeated (default all)")
	f.BoolVar(&k.ReadOnly, "no-writes", false, "read-only key")
	f.DurationVar(&life, "expires-in", 0, "`duration` until the key expires (default never)")
	return c
}

func (a *app) keyListCmd() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List API keys, without secrets, of all organizations or of --org",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.operate(c, "key list", false, func(ctx context.Context, o operator) error {
				keys, err := o.Keys(ctx, a.target.place())
				if err != nil {
					return err
				}
				shown := make([]shownKey, len(keys))
				for i, k := range keys {
					shown[i] = newShownKey(k, "")
				}
				return a.p.show(map[string]any{"keys": shown}, func() { a.keyTable(keys) })
			})
		},
	}
	a.readOnlyFlag(c)
	return c
}

func (a *app) keyTable(keys []seshat.APIKey) {
	rows := make([][]string, 0, len(keys))
	for _, k := range keys {
		may := "read-write"
		opens := "all"
		if k.ReadOnly {
			may = "read-only"
		}
		if len(k.Namespaces) > 0 {
			opens = strings.Join(k.Namespaces, " ")
		}
		rows = append(rows, []string{k.ID, k.Name, k.OrganizationID, may, when(k.ExpiresAt), when(k.LastUsedAt), opens})
	}
	a.p.table([]string{"ID", "NAME", "ORGANIZATION", "MAY", "EXPIRES", "LAST USED", "NAMESPACES"}, rows)
}

// when formats a time; the zero time is "never".
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.RFC3339)
}

func (a *app) keyRevokeCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke an API key",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.operate(c, "key revoke", false, func(ctx context.Context, o operator) error {
				k, err := o.RevokeKey(ctx, keyRef{ID: args[0]})
				if err != nil {
					return err
				}
				return a.p.show(k, func() { a.p.line("%s: revoked", k.ID) })
			})
		},
	}
}

// Keys returns the API keys of an organization, or of all if p names none.
func (f *file) Keys(ctx context.Context, p place) ([]seshat.APIKey, error) {
	orgs := []string{p.Organization}
	if p.Organization == "" {
		var err error
		if orgs, err = f.organizations(ctx); err != nil {
			return nil, err
		}
	}
	all := []seshat.APIKey{}
	for _, org := range orgs {
		for k, err := range f.store.APIKeys(ctx, org) {
			if err != nil {
				return nil, err
			}
			all = append(all, k)
		}
	}
	return all, nil
}

// CreateKey creates an API key. Its namespaces may be given by name.
func (f *file) CreateKey(ctx context.Context, k seshat.APIKey) (newKey, error) {
	for i, name := range k.Namespaces {
		t, err := f.store.Tenant(ctx, seshat.Namespace{Name: name, OrganizationID: k.OrganizationID})
		if err != nil {
			return newKey{}, fmt.Errorf("--for: %w", err)
		}
		k.Namespaces[i] = t.ID()
	}
	made, secret, err := f.store.CreateAPIKey(ctx, k)
	return newKey{APIKey: made, Secret: secret}, err
}

// RevokeKey revokes an API key.
func (f *file) RevokeKey(ctx context.Context, k keyRef) (keyRef, error) {
	return k, f.store.RevokeAPIKey(ctx, k.ID)
}
