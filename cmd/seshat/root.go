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

// streams are the standard streams of a command.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is one run of the command line. All verbs share it.
type app struct {
	streams
	target target
	json   bool
	p      *printer // set after the flags are parsed
	began  bool     // flags and arguments are valid, the verb runs
	verb   string   // as called, such as "seshat key create"
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
		err = a.p.w.err // a failed write of the output is the verb's error
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
		Long: `Seshat keeps the sessions of AI agents in one file. This program serves a store
over HTTP, and inspects and repairs it.

A verb works on a file (--db) or on a running server (--url, with --key). A
server locks its file. Reach that file through the server: by its HTTP API, or
by its operator socket (--url unix:PATH), which supports every verb of a file. A
store may also be in PostgreSQL (--store postgres://…), which any number of
servers and verbs may use at once.`,
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
		&cobra.Group{ID: groupOperate, Title: "Operate a store, directly or through a server's operator socket:"},
		&cobra.Group{ID: groupFile, Title: "Files that no process has open:"},
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

// sayForm makes verbs with a wrong number of arguments print their usage line.
func sayForm(cmds []*cobra.Command) {
	for _, c := range cmds {
		sayForm(c.Commands())
		if fit := c.Args; fit != nil {
			c.Args = func(c *cobra.Command, args []string) error {
				if fit(c, args) != nil {
					return fmt.Errorf("wrong number of arguments: %s", c.UseLine())
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
	f.BoolVar(&a.json, "json", false, "JSON output, and errors as JSON on standard error")
}

// begin sets flags that were not given from the environment and prepares the
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

// envVar is the key of the annotation that names a flag's environment variable.
const envVar = "seshat_env"

// env lets SESHAT_<NAME> set a flag and adds the variable to the flag's help.
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

// shadowed reports whether the command line names a target of the other kind,
// so that the file or server in the environment is ignored.
func shadowed(f *pflag.FlagSet, name string) bool {
	others := map[string][]string{
		"db": {"url", "store"}, "store": {"url", "db"}, "url": {"db", "store"}, "key": {"key-file"},
		"key-file": {"key"},
	}[name]
	return slices.ContainsFunc(others, f.Changed)
}
