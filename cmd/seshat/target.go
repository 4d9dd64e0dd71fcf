package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
)

// target identifies the store and the namespace that a verb works on.
type target struct {
	store    string // value of --db or --store, after parsing
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
	f.StringVar(&t.db, "db", "", "`file` of the store")
	f.StringVar(&t.store, "store", "",
		"`store`: a file, or postgres://USER@HOST/DATABASE[?schema=NAME&max_conns=N]")
	f.StringVar(&t.url, "url", "", "`URL` of a server: http(s)://HOST:PORT, or unix:PATH for its operator socket")
	f.StringVar(&t.key, "key", "", "API key for the server; safer in the environment or with --key-file")
	f.StringVar(&t.keyFile, "key-file", "", "`file` with the API key")
	f.StringVar(&t.org, "org", "", "organization that owns the namespace (default "+seshat.DefaultOrganization+")")
	f.StringVarP(&t.ns, "namespace", "n", "",
		"namespace, by name or id (default the only one of the store)")
	f.DurationVar(&t.timeout, "timeout", 30*time.Second,
		"time limit of a call to the server, except streams")
	env(f, "db", "store", "url", "key", "key-file", "org", "namespace")
}

// place returns the namespace that the flags name.
func (t *target) place() place { return place{Organization: t.org, Namespace: t.ns} }

// readOnlyFlag adds --read-only to a verb that only reads.
func (a *app) readOnlyFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.target.readOnly, "read-only", false,
		"read-only access to a file, such as a backup, or to a database, such as a "+
			"standby")
}

// one checks that the flags name exactly one store or server.
func (t *target) one() error {
	switch {
	case t.store != "" && t.url != "":
		return usagef("--url: not allowed with --db or --store")
	case t.store == "" && t.url == "":
		return usagef("no store: give --db FILE, --url SERVER or --store (or $SESHAT_DB, $SESHAT_URL or " +
			"$SESHAT_STORE)")
	case t.url != "" && t.readOnly:
		return usagef("--read-only: not allowed with --url")
	}
	return nil
}

// unite merges --db and --store, which name the same thing.
func (t *target) unite() error {
	if t.db != "" && t.store != "" {
		return usagef("--db, --store: give only one")
	}
	if t.store == "" {
		t.store = t.db
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
	f, err := openFile(ctx, a.target.store, a.target.how())
	if err != nil {
		return nil, err
	}
	t, err := f.tenant(ctx, a.target.place())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &fileSessions{file: f, t: t}, nil
}

// operator opens the target for verbs that the HTTP API lacks.
func (a *app) operator(ctx context.Context, verb string, create bool) (operator, error) {
	t := &a.target
	if err := t.one(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(t.url, unixPrefix) {
		return newOperatorClient(t)
	}
	if t.url != "" {
		return nil, usagef("%s: not supported by the HTTP API; use the server's operator socket (--url "+
			"unix:PATH), or stop it and use its file (--db) or database (--store)", verb)
	}
	how := t.how()
	if create {
		how = creating
	}
	return openFile(ctx, t.store, how)
}

// how returns how a verb opens an existing store.
func (t *target) how() opening {
	if t.readOnly {
		return reading
	}
	return existing
}

// inFile rejects a database for verbs that work on the bytes of a file.
func inFile(verb, store string) error {
	if inDatabase(store) {
		return usagef("%s: only for files; use the tools of the database", verb)
	}
	return nil
}

// fileOnly rejects a server for verbs that read the bytes of a closed file. A
// server in the environment is ignored if the command line names a file.
func (a *app) fileOnly(c *cobra.Command, verb string, named bool) error {
	if c.Flags().Changed("url") || a.target.url != "" && !named {
		return usagef("%s: only for files that no process has open, not for a server", verb)
	}
	return nil
}

// maxKey is the largest file of an API key, in bytes.
const maxKey = 4 << 10

// secret returns the API key that the flags name.
func (t *target) secret() (string, error) {
	if t.keyFile == "" {
		return t.key, nil
	}
	if t.key != "" {
		return "", usagef("--key, --key-file: give only one")
	}
	f, err := os.Open(t.keyFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKey+1))
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(b))
	if len(b) > maxKey || strings.ContainsFunc(key, unicode.IsControl) {
		return "", usagef("--key-file: %s does not hold one API key", t.keyFile)
	}
	return key, nil
}

// storeOptions are the options for verbs: no work in the background.
func storeOptions() seshat.Options { return seshat.Options{SweepEvery: seshat.Never} }

// openFile opens a store in a file or database.
func openFile(ctx context.Context, store string, how opening) (*file, error) {
	l, err := parseLocation(store)
	if err != nil {
		return nil, err
	}
	s, err := l.open(ctx, how, storeOptions())
	if err != nil {
		return nil, err
	}
	return &file{store: s, at: l}, nil
}
