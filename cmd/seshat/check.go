package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
)

// checkReport is seshat.CheckReport as JSON.
type checkReport struct {
	Namespaces   uint64    `json:"namespaces"`
	Sessions     uint64    `json:"sessions"`
	Messages     uint64    `json:"messages"`
	Entries      uint64    `json:"entries"`
	Events       uint64    `json:"events"`
	IndexEntries uint64    `json:"index_entries"`
	Findings     []finding `json:"findings"`
}

type finding struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

func (a *app) checkCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Compare the indexes, counters and checksums of a store with its records",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.operate(c, "check", false, func(ctx context.Context, o operator) error {
				done := a.spin("checking")
				r, err := o.Check(ctx, nothing{})
				done()
				if err != nil {
					return err
				}
				if err := a.p.show(r, func() { a.showCheck(r) }); err != nil {
					return err
				}
				if len(r.Findings) > 0 {
					return errDamaged
				}
				return nil
			})
		},
	}
	a.readOnlyFlag(c)
	return c
}

func (a *app) showCheck(r checkReport) {
	a.p.fields(
		field{"verdict", verdict(len(r.Findings) == 0)},
		field{"namespaces", count(r.Namespaces)}, field{"sessions", count(r.Sessions)},
		field{"messages", count(r.Messages)}, field{"entries", count(r.Entries)},
		field{"events", count(r.Events)}, field{"index entries", count(r.IndexEntries)},
	)
	a.findings(r.Findings)
}

func (a *app) findings(fs []finding) {
	rows := make([][]string, 0, len(fs))
	for _, f := range fs {
		rows = append(rows, []string{f.Where, f.What})
	}
	a.p.table([]string{"WHERE", "PROBLEM"}, rows)
}

func verdict(ok bool) string {
	if ok {
		return "sound"
	}
	return "DAMAGED"
}

// Check compares indexes, counters and checksums with the records.
func (f *file) Check(ctx context.Context, _ nothing) (checkReport, error) {
	r, err := f.store.Check(ctx)
	if err != nil {
		return checkReport{}, err
	}
	v := checkReport{
		Namespaces: r.Namespaces, Sessions: r.Sessions, Messages: r.Messages,
		Entries: r.Entries, Events: r.Events, IndexEntries: r.IndexEntries, Findings: []finding{},
	}
	for _, x := range r.Findings {
		v.Findings = append(v.Findings, finding(x))
	}
	return v, nil
}

// pathArg returns the path of a closed file: the verb's argument, or --db.
func (a *app) pathArg(c *cobra.Command, verb string, args []string, i int) (string, error) {
	if err := a.fileOnly(c, verb, len(args) > i); err != nil {
		return "", err
	}
	path := a.target.store
	if len(args) > i {
		path = args[i]
	}
	if path == "" {
		return "", errNoFile
	}
	return path, inFile(verb, path)
}

var errNoFile = &usageError{err: errors.New("no file: give FILE or --db")}
