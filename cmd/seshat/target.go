package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
)

// target says which store a verb works on, and where in it.
type target struct {
	db       string
	url      string
	key      string
	keyFile  string
	org      string
	ns       string
	readOnly bool
	timeout  time.Duration
}

func (t *target) flags(f *pflag.FlagSet) {
	f.StringVar(&t.db, "db", "", "file of the store")
	f.StringVar(&t.url, "url", "", "running server: http(s)://HOST:PORT, or unix:PATH for its operator socket")
	f.StringVar(&t.key, "key", "", "API key for the server; better in the environment or --key-file")
	f.StringVar(&t.keyFile, "key-file", "", "file that holds the API key")
	f.StringVar(&t.org, "org", "", "organization that owns the namespace (default "+seshat.DefaultOrganization+")")
	f.StringVarP(&t.ns, "namespace", "n", "", "namespace, by name or id; of a file that has only one, that is the default")
	f.DurationVar(&t.timeout, "timeout", 30*time.Second, "how long a call of the server may take; streams may take longer")
	env(f, "db", "url", "key", "key-file", "org", "namespace")
}

// place is the namespace that the flags name.
func (t *target) place() place { return place{Organization: t.org, Namespace: t.ns} }

// readOnlyFlag gives a verb that only reads the flag for backups.
func (a *app) readOnlyFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.target.readOnly, "read-only", false, "open the file, such as a backup, under a shared lock and never write to it")
}

// one checks that the target is one file or one server.
func (t *target) one() error {
	switch {
	case t.db != "" && t.url != "":
		return usagef("--db and --url are both given: name a file or a server")
	case t.db == "" && t.url == "":
		return usagef("which store? Give --db FILE or --url SERVER (or $SESHAT_DB or $SESHAT_URL)")
	case t.url != "" && t.readOnly:
		return usagef("--read-only is about a file, not a server")
	}
	return nil
}

// sessions opens the target for verbs of sessions.
func (a *app) sessions(ctx context.Context) (sessions, error) {
	if err := a.target.one(); err != nil {
		return nil, err
	}
	if a.target.url != "" {
		return newRemote(&a.target)
	}
	f, err := openFile(a.target.db, a.target.readOnly)
	if err != nil {
		return nil, err
	}
	t, err := f.tenant(ctx, a.target.place())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &fileSessions{file: f, t: t}, nil
}

// operator opens the target for verbs that the HTTP API does not have.
func (a *app) operator(verb string, create bool) (operator, error) {
	t := &a.target
	if err := t.one(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(t.url, unixPrefix) {
		return newOperatorClient(t)
	}
	if t.url != "" {
		return nil, usagef("%s: the HTTP API has no such call; use the server's operator socket (--url unix:PATH), or stop it and use its file (--db)", verb)
	}
	if create {
		return createFile(t.db)
	}
	return openFile(t.db, t.readOnly)
}

// fileOnly refuses a server for verbs that read the bytes of a closed file. A
// server in the environment is not meant where a file is named.
func (a *app) fileOnly(c *cobra.Command, verb string, named bool) error {
	if c.Flags().Changed("url") || a.target.url != "" && !named {
		return usagef("%s: works on files that no process has open, not on a server", verb)
	}
	return nil
}

// secret returns the API key that the flags name.
func (t *target) secret() (string, error) {
	if t.keyFile == "" {
		return t.key, nil
	}
	if t.key != "" {
		return "", usagef("--key and --key-file are both given")
	}
	b, err := os.ReadFile(t.keyFile)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(b)), nil
}

// storeOptions are those of verbs: nothing happens in the background.
func storeOptions(readOnly bool) seshat.Options {
	return seshat.Options{SweepEvery: seshat.Never, ReadOnly: readOnly}
}

// openFile opens a store that is there: a mistyped name makes no new one.
func openFile(path string, readOnly bool) (*file, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (seshat namespace create and seshat serve make a new file)", err)
	}
	return openStore(path, readOnly)
}

// createFile opens a store, which is made if there is none.
func createFile(path string) (*file, error) { return openStore(path, false) }

func openStore(path string, readOnly bool) (*file, error) {
	s, err := seshat.Open(path, storeOptions(readOnly))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &file{store: s, path: path}, nil
}
