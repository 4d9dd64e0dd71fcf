package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
)

// listFlags select sessions.
type listFlags struct {
	q               seshat.Query
	statuses        []string
	order           string
	created, active [2]string
	all             bool
}

// listed is the JSON of a list of sessions.
type listed struct {
	Sessions   []session `json:"sessions"`
	NextCursor *string   `json:"next_cursor"`
}

func (a *app) listCmd() *cobra.Command {
	var f listFlags
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List sessions, newest first",
		Long: `List sessions, newest first.

A page has at most --limit sessions. If more follow, the cursor of the next page
is printed to standard error, or is in the JSON. Give times in RFC 3339, or as an
age such as 24h.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			q, err := f.query(time.Now())
			if err != nil {
				return err
			}
			return a.converse(c, func(ctx context.Context, b sessions) error {
				page, err := f.pages(ctx, b, q)
				if err != nil {
					return err
				}
				return a.showList(page)
			})
		},
	}
	f.flags(c.Flags())
	a.readOnlyFlag(c)
	_ = c.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(
		statusNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("order", cobra.FixedCompletions(
		[]string{"creation", "activity"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (lf *listFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&lf.q.UserID, "user", "", "only sessions of this user")
	f.StringSliceVar(&lf.statuses, "status", nil,
		"only sessions with this `status`: "+oneOf(statusNames())+"; may be repeated")
	labelsFlag(f, &lf.q.Labels, "only sessions with this label, as `key=value`; may be repeated")
	f.StringVar(&lf.created[0], "created-from", "", "only sessions created at this `time` or later")
	f.StringVar(&lf.created[1], "created-to", "", "only sessions created before this `time`")
	f.StringVar(&lf.active[0], "active-from", "", "only sessions active at this `time` or later, in whole minutes")
	f.StringVar(&lf.active[1], "active-to", "", "only sessions last active before this `time`, in whole minutes")
	f.StringVar(&lf.order, "order", "creation", "order: creation or activity")
	f.BoolVar(&lf.q.OldestFirst, "oldest-first", false, "oldest first")
	f.IntVar(&lf.q.Limit, "limit", 50, "number of sessions on a page, 1 to 1000")
	f.StringVar(&lf.q.Cursor, "cursor", "", "cursor of the page, from the page before")
	f.BoolVar(&lf.all, "all", false, "all pages")
}

func statusNames() []string {
	var names []string
	for _, s := range seshat.Statuses() {
		names = append(names, s.String())
	}
	return names
}

// oneOf lists words as a choice: a, b or c.
func oneOf(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (lf *listFlags) query(now time.Time) (q seshat.Query, err error) {
	q = lf.q
	switch lf.order {
	case "creation":
	case "activity":
		q.Order = seshat.OrderByActivity
	default:
		return q, usagef("--order: %q; give creation or activity", lf.order)
	}
	for _, name := range lf.statuses {
		var s seshat.Status
		if err := s.UnmarshalText([]byte(name)); err != nil {
			return q, usagef("--status: %q; give %s", name, oneOf(statusNames()))
		}
		q.Statuses = append(q.Statuses, s)
	}
	for _, t := range []struct {
		flag, text string
		at         *time.Time
	}{
		{"created-from", lf.created[0], &q.CreatedFrom},
		{"created-to", lf.created[1], &q.CreatedTo},
		{"active-from", lf.active[0], &q.ActiveFrom},
		{"active-to", lf.active[1], &q.ActiveTo},
	} {
		if *t.at, err = moment(t.text, now); err != nil {
			return q, usagef("--%s: %w", t.flag, err)
		}
	}
	return q, nil
}

// moment parses a time in RFC 3339, or an age such as 24h.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%q: give a time such as 2025-01-02T15:04:05Z, or an age such as 24h", text)
	}
	return t, nil
}

// pages returns one page, or all. A filter may leave a page empty although more
// pages follow, so pages reads on until it has a session to show.
func (lf *listFlags) pages(ctx context.Context, b sessions, q seshat.Query) (page, error) {
	all := page{sessions: []session{}}
	for {
		p, err := b.List(ctx, q)
		if err != nil {
			return all, err
		}
		all.sessions = append(all.sessions, p.sessions...)
		all.next = p.next
		q.Cursor = p.next
		if q.Cursor == "" || !lf.all && len(all.sessions) > 0 {
			return all, nil
		}
	}
}

func (a *app) showList(p page) error {
	l := listed{Sessions: p.sessions}
	if p.next != "" {
		l.NextCursor = &p.next
	}
	return a.p.show(l, func() {
		rows := make([][]string, 0, len(p.sessions))
		for _, x := range p.sessions {
			s := &x.v
			rows = append(rows, []string{
				s.ID, s.Status.String(), s.UserID, strconv.FormatUint(s.MessageCount, 10),
				when(s.LastActivityAt), s.Name,
			})
		}
		a.p.table([]string{"ID", "STATUS", "USER", "MESSAGES", "LAST ACTIVE", "NAME"}, rows)
		if p.next != "" {
			fmt.Fprintln(a.err, "more: --cursor", p.next)
		}
	})
}
