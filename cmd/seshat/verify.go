package main

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver/boltdriver"
)

// verifyReport is boltdriver.Report as JSON.
type verifyReport struct {
	File        string    `json:"file"`
	Sound       bool      `json:"sound"`
	Size        int64     `json:"size"`
	Transaction uint64    `json:"transaction"`
	UsedPages   uint64    `json:"used_pages"`
	FreePages   uint64    `json:"free_pages"`
	LeakedPages uint64    `json:"leaked_pages"`
	Keys        uint64    `json:"keys"`
	Sessions    uint64    `json:"sessions"`
	Messages    uint64    `json:"messages"`
	Findings    []finding `json:"findings"`
	More        int       `json:"more_findings"`
}

func (a *app) verifyCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Check a closed file",
		Long: `Check a file that no process has open, such as a backup: the structure of every
page, every checksum, every index entry and the counters. Nothing is changed.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path, err := a.pathArg(c, "verify", args, 0)
			if err != nil {
				return err
			}
			bar := a.bar("verifying", 0)
			r, err := boltdriver.Verify(c.Context(), path, bar.at)
			bar.done()
			if err != nil && (!errors.Is(err, seshat.ErrCorrupt) || r.Size == 0) {
				return err
			}
			v := newVerifyReport(path, r, err == nil)
			return errors.Join(a.p.show(v, func() { a.showVerify(v) }), err)
		},
	}
}

func newVerifyReport(path string, r boltdriver.Report, sound bool) verifyReport {
	v := verifyReport{
		File: path, Sound: sound, Size: r.Size, Transaction: r.Transaction,
		UsedPages: r.Branches + r.Leaves, FreePages: r.Free, LeakedPages: r.Leaked, Keys: r.Keys,
		Sessions: r.Checked.Records, Messages: r.Checked.Messages, Findings: []finding{}, More: r.More,
	}
	for _, p := range r.Problems {
		where := "page " + count(p.Page)
		if p.Bucket != "" {
			where += ", bucket " + strconv.Quote(p.Bucket)
		}
		v.Findings = append(v.Findings, finding{Where: where, What: p.What})
	}
	for _, f := range r.Checked.Findings {
		v.Findings = append(v.Findings, finding(f))
	}
	return v
}

func (a *app) showVerify(v verifyReport) {
	a.p.fields(
		field{"file", v.File}, field{"verdict", verdict(v.Sound)}, field{"size", size(v.Size)},
		field{"last transaction", count(v.Transaction)}, field{"pages in use", count(v.UsedPages)},
		field{"free pages", count(v.FreePages)}, field{"leaked pages", count(v.LeakedPages)},
		field{"keys", count(v.Keys)}, field{"sessions", count(v.Sessions)}, field{"messages", count(v.Messages)},
	)
	a.findings(v.Findings)
	if v.More > 0 {
		a.p.line("and %d more", v.More)
	}
}
