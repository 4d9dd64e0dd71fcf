package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

// salvageReport is seshat.SalvageReport as JSON.
type salvageReport struct {
	From     string    `json:"from"`
	To       string    `json:"to"`
	Sessions salvaged  `json:"sessions"`
	Messages salvaged  `json:"messages"`
	Entries  salvaged  `json:"entries"`
	Events   salvaged  `json:"events"`
	Scanned  bool      `json:"scanned"`
	Damage   []finding `json:"damage"`
	More     int       `json:"more_damage"`
}

type salvaged struct {
	Whole     uint64 `json:"whole"`
	Uncertain uint64 `json:"uncertain"`
	Lost      uint64 `json:"lost"`
}

func (a *app) salvageCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "salvage DAMAGED NEW",
		Short: "Copy the intact data of a damaged file to a new file",
		Long: `Copy the intact data of a damaged file to a new file, and leave the damaged file
unchanged. Only values with a valid checksum are copied. The report counts a
value as whole if the file's tree leads to it, as uncertain if it was found on a
page outside the tree, and as lost if it cannot be read.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			err := errors.Join(a.fileOnly(c, "salvage", true), inFile("salvage", args[0]), inFile("salvage", args[1]))
			if err != nil {
				return err
			}
			done := a.spin("salvaging")
			r, err := seshat.Salvage(c.Context(), args[0], args[1])
			done()
			if err != nil {
				return err
			}
			v := newSalvageReport(args[0], args[1], r)
			return a.p.show(v, func() { a.showSalvage(v) })
		},
	}
}

func newSalvageReport(from, to string, r seshat.SalvageReport) salvageReport {
	v := salvageReport{
		From: from, To: to, Sessions: salvaged(r.Sessions), Messages: salvaged(r.Messages),
		Entries: salvaged(r.Entries), Events: salvaged(r.Events), Scanned: r.Scanned, Damage: []finding{}, More: r.More,
	}
	for _, f := range r.Findings {
		v.Damage = append(v.Damage, finding(f))
	}
	return v
}

func (a *app) showSalvage(v salvageReport) {
	row := func(name string, s salvaged) []string {
		return []string{name, count(s.Whole), count(s.Uncertain), count(s.Lost)}
	}
	a.p.table([]string{"", "WHOLE", "UNCERTAIN", "LOST"}, [][]string{
		row("sessions", v.Sessions), row("messages", v.Messages), row("entries", v.Entries), row("events", v.Events),
	})
	a.findings(v.Damage)
}
