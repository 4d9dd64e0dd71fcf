package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is one run of the command line: what all verbs share.
type app struct {
	streams
	target target
	json   bool
	p      *printer // set once the flags are read
	began  bool     // the flags and arguments were fine, and a verb runs
	verb   string   // as it was called, such as "seshat key create"
}

// run runs one command line and returns its exit code.
func run(ctx context.Context, args []string, s streams) int {
	a := &app{streams: s}
	root := a.root()
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	a.verb = c.CommandPath()
	if err != nil && !a.began {
		err = &usageError{err: err}
	}
	if err == nil && a.p != nil {
		err = a.p.w.err // all that was printed, or it did not go well
	}
	return a.report(ctx, err)
}

const (
	groupSessions = "sessions"
	groupOperate  = "operate"
	groupFile     = "file"
	groupServe    = "serve"
)

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:     "seshat",
		Short:   "Sessions of AI agents, in one file",
		Version: readVersion().Version,
		Long: `Seshat keeps the sessions of AI agents in one file. This program serves such a
file over HTTP, and lets an operator see and mend it.

A verb works on a file (--db) or on a running server (--url, with --key). A
file that is open in a server is locked: reach it through the server, by its
HTTP API, or by its operator socket (--url unix:PATH), which has every verb
that the file has. A store may also be in PostgreSQL (--store postgres://…),
which any number of servers and verbs may use at once.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: a.begin,
	}
	c.SetIn(a.in)
	c.SetOut(a.out)
	c.SetErr(a.err)
	a.globalFlags(c.PersistentFlags())
	c.AddGroup(
		&cobra.Group{ID: groupServe, Title: "Serve:"},
		&cobra.Group{ID: groupSessions, Title: "Sessions, in a store or on a server:"},
		&cobra.Group{ID: groupOperate, Title: "Operate a store, by itself or through a server's operator socket:"},
		&cobra.Group{ID: groupFile, Title: "Stores that no process has open:"},
	)
	add(c, groupServe, a.serveCmd(), a.demoCmd())
	add(c, groupSessions, a.createCmd(), a.listCmd(), a.showCmd(), a.historyCmd(), a.appendCmd(),
		a.archiveCmd(), a.restoreCmd(), a.terminateCmd(), a.eraseCmd(), a.watchCmd())
	add(c, groupOperate, a.namespaceCmd(), a.keyCmd(), a.sweepCmd(), a.importCmd(), a.exportCmd(),
		a.checkCmd(), a.backupCmd(), a.compactCmd(), a.statsCmd())
	add(c, groupFile, a.verifyCmd(), a.salvageCmd(), a.restoreBackupCmd(), a.migrateCmd())
	c.AddCommand(a.versionCmd(), exitCodesTopic())
	sayForm(c.Commands())
	return c
}

// sayForm lets verbs that get too few or too many arguments say what they take.
func sayForm(cmds []*cobra.Command) {
	for _, c := range cmds {
		sayForm(c.Commands())
		if fit := c.Args; fit != nil {
			c.Args = func(c *cobra.Command, args []string) error {
				if fit(c, args) != nil {
					return fmt.Errorf("these arguments do not fit: %s", c.UseLine())
				}
				return nil
			}
		}
	}
}

func add(root *cobra.Command, group string, cmds ...*cobra.Command) {
	for _, c := range cmds {
		c.GroupID = group
		root.AddCommand(c)
	}
}

func (a *app) globalFlags(f *pflag.FlagSet) {
	a.target.flags(f)
	f.BoolVar(&a.json, "json", false, "print JSON, and errors as JSON on standard error")
}

// begin reads the environment into flags that were not given, and sets up the
// output. Cobra runs it before the verb.
func (a *app) begin(c *cobra.Command, _ []string) error {
	if err := fromEnv(c.Flags(), os.LookupEnv); err != nil {
		return err
	}
	if err := a.target.unite(); err != nil {
		return err
	}
	a.p = newPrinter(a.out, a.json)
	a.began = true
	return nil
}

// envVar names the variable from which a flag gets its value if it is not
// given.
const envVar = "seshat_env"

// env lets a flag be given as SESHAT_<NAME> too, and says so in its help.
func env(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		flag := f.Lookup(name)
		key := "SESHAT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		flag.Annotations = map[string][]string{envVar: {key}}
		flag.Usage += " [$" + key + "]"
	}
}

func fromEnv(f *pflag.FlagSet, lookup func(string) (string, bool)) (err error) {
	f.VisitAll(func(flag *pflag.Flag) {
		keys := flag.Annotations[envVar]
		if err != nil || flag.Changed || len(keys) == 0 || shadowed(f, flag.Name) {
			return
		}
		if v, ok := lookup(keys[0]); ok && v != "" {
			if e := flag.Value.Set(v); e != nil {
				err = fmt.Errorf("$%s: %w", keys[0], e)
			}
		}
	})
	return err
}

// shadowed says whether the command line names a target of the other sort, so
// that a file or server in the environment is not meant.
func shadowed(f *pflag.FlagSet, name string) bool {
	others := map[string][]string{
		"db": {"url", "store"}, "store": {"url", "db"}, "url": {"db", "store"}, "key": {"key-file"},
		"key-file": {"key"},
	}[name]
	return slices.ContainsFunc(others, f.Changed)
}
