package main

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
)

// namespaceChange holds the changes of seshat namespace set; nil = unchanged.
type namespaceChange struct {
	Place     place                   `json:"place"`
	Name      string                  `json:"name,omitempty"`
	Lifecycle *seshat.Lifecycle       `json:"lifecycle,omitempty"`
	Quotas    *seshat.NamespaceQuotas `json:"quotas,omitempty"`
	Apply     bool                    `json:"apply,omitempty"`
}

// namespaceChanged is the changed namespace and the number of changed sessions.
type namespaceChanged struct {
	Namespace seshat.Namespace `json:"namespace"`
	Changed   int              `json:"sessions_changed"`
}

func (a *app) namespaceCmd() *cobra.Command {
	c := &cobra.Command{
		Use:     "namespace",
		Aliases: []string{"ns"},
		Short:   "Create, list, change and delete namespaces",
		Args:    cobra.NoArgs,
		RunE:    needsVerb,
	}
	c.AddCommand(a.namespaceCreateCmd(), a.namespaceListCmd(), a.namespaceSetCmd(), a.namespaceDeleteCmd())
	return c
}

// needsVerb rejects a noun without a verb.
func needsVerb(c *cobra.Command, _ []string) error {
	return usagef("no verb: see %s --help", c.CommandPath())
}

func (a *app) namespaceCreateCmd() *cobra.Command {
	var l lifecycleFlags
	var q seshat.NamespaceQuotas
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a namespace, and the store if it is missing",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			n := seshat.Namespace{Name: args[0], OrganizationID: a.target.org, Lifecycle: l.Lifecycle, Quotas: q}
			return a.operate(c, "namespace create", true, func(ctx context.Context, o operator) error {
				n, err := o.CreateNamespace(ctx, n)
				if err != nil {
					return err
				}
				return a.p.show(n, func() { a.p.line("%s", n.ID) })
			})
		},
	}
	l.flags(c.Flags())
	namespaceQuotaFlags(c.Flags(), &q)
	return c
}

func namespaceQuotaFlags(f *pflag.FlagSet, q *seshat.NamespaceQuotas) {
	f.Uint64Var(&q.MaxSessions, "max-sessions", 0, "quota: sessions; 0 = unlimited")
	f.Uint64Var(&q.MaxMessages, "max-messages", 0, "quota: messages of all sessions (0 = unlimited)")
	f.Uint64Var(&q.MaxBytes, "max-bytes", 0, "quota: bytes of sessions and messages (0 = unlimited)")
}

func (a *app) namespaceListCmd() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the namespaces of all organizations, or of --org",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.operate(c, "namespace list", false, func(ctx context.Context, o operator) error {
				all, err := o.Namespaces(ctx, a.target.place())
				if err != nil {
					return err
				}
				return a.p.show(map[string]any{"namespaces": all}, func() { a.namespaceTable(all) })
			})
		},
	}
	a.readOnlyFlag(c)
	return c
}

func (a *app) namespaceTable(all []seshat.Namespace) {
	rows := make([][]string, 0, len(all))
	for _, n := range all {
		rows = append(rows, []string{n.Name, n.ID, n.OrganizationID, n.CreatedAt.Format(time.RFC3339)})
	}
	a.p.table([]string{"NAME", "ID", "ORGANIZATION", "CREATED"}, rows)
}

func (a *app) namespaceSetCmd() *cobra.Command {
	var l lifecycleFlags
	var q seshat.NamespaceQuotas
	var ch namespaceChange
	c := &cobra.Command{
		Use:   "set NAME",
		Short: "Rename a namespace or replace its deadlines or quotas",
		Long: `Rename a namespace or replace its deadlines or quotas.

A deadline flag replaces all deadlines: those that are not given inherit the
store's. A quota flag replaces all quotas: those that are not given are
unlimited. The new deadlines apply to new sessions; with --apply, also to
existing ones.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ch.Place = place{Organization: a.target.org, Namespace: args[0]}
			if l.changed(c.Flags()) {
				ch.Lifecycle = &l.Lifecycle
			}
			if anyChanged(c.Flags(), "max-sessions", "max-messages", "max-bytes") {
				ch.Quotas = &q
			}
			return a.setNamespace(c, ch)
		},
	}
	l.flags(c.Flags())
	namespaceQuotaFlags(c.Flags(), &q)
	c.Flags().StringVar(&ch.Name, "name", "", "new name")
	c.Flags().BoolVar(&ch.Apply, "apply", false, "apply the deadlines to existing sessions too")
	return c
}

func (a *app) setNamespace(c *cobra.Command, ch namespaceChange) error {
	if ch.Name == "" && ch.Lifecycle == nil && ch.Quotas == nil && !ch.Apply {
		return usagef("nothing to change: give a flag; see %s --help", c.CommandPath())
	}
	return a.operate(c, "namespace set", false, func(ctx context.Context, o operator) error {
		done, err := o.SetNamespace(ctx, ch)
		if err != nil {
			return err
		}
		return a.p.show(done, func() {
			a.p.line("%s: changed; %d sessions follow", done.Namespace.Name, done.Changed)
		})
	})
}

func (a *app) namespaceDeleteCmd() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Erase a namespace with all its sessions and state",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.confirm(yes,
				"Erase namespace "+strconv.Quote(args[0])+" with all its sessions, for good?"); err != nil {
				return err
			}
			p := place{Organization: a.target.org, Namespace: args[0]}
			return a.operate(c, "namespace delete", false, func(ctx context.Context, o operator) error {
				e, err := o.DeleteNamespace(ctx, p)
				if err != nil {
					return err
				}
				return a.showErased(e)
			})
		},
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, "skip the question")
	return c
}
