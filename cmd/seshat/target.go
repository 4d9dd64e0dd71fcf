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

// target says which store a verb works on, and where in it.
type target struct {
	store    string // what --db and --store say, once they are read
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
	f.StringVar(&t.store, "store", "",
		"the store: a file as with --db, or postgres://USER@HOST/DATABASE[?schema=NAME&max_conns=N]")
	f.StringVar(&t.url, "url", "", "running server: http(s)://HOST:PORT, or unix:PATH for its operator socket")
	f.StringVar(&t.key, "key", "", "API key for the server; better in the environment or --key-file")
	f.StringVar(&t.keyFile, "key-file", "", "file that holds the API key")
	f.StringVar(&t.org, "org", "", "organization that owns the namespace (default "+seshat.DefaultOrganization+")")
	f.StringVarP(&t.ns, "namespace", "n", "",
		"namespace, by name or id; of a file that has only one, that is the default")
	f.DurationVar(&t.timeout, "timeout", 30*time.Second,
		"how long a call of the server may take; streams may take longer")
	env(f, "db", "store", "url", "key", "key-file", "org", "namespace")
}

// place is the namespace that the flags name.
func (t *target) place() place { return place{Organization: t.org, Namespace: t.ns} }

// readOnlyFlag gives a verb that only reads the flag for backups.
func (a *app) readOnlyFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.target.readOnly, "read-only", false,
		"open the file, such as a backup, under a shared lock, or the database, such as a standby, and never "+
			"write to it")
}

// one checks that the target is one file or one server.
func (t *target) one() error {
	switch {
	case t.store != "" && t.url != "":
		return usagef("--db or --store and --url are both given: name a store or a server")
	case t.store == "" && t.url == "":
		return usagef("which store? Give --db FILE or --url SERVER, or --store (or $SESHAT_DB, $SESHAT_URL or " +
			"$SESHAT_STORE)")
	case t.url != "" && t.readOnly:
		return usagef("--read-only is about a file or database, not a server")
	}
	return nil
}

// unite makes one of the two flags that name a store.
func (t *target) unite() error {
	if t.db != "" && t.store != "" {
		return usagef("--db and --store are both given: they name the same thing")
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

// operator opens the target for verbs that the HTTP API does not have.
func (a *app) operator(ctx context.Context, verb string, create bool) (operator, error) {
	t := &a.target
	if err := t.one(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(t.url, unixPrefix) {
		return newOperatorClient(t)
	}
	if t.url != "" {
		return nil, usagef("%s: the HTTP API has no such call; use the server's operator socket (--url "+
			"unix:PATH), or stop it and use its file (--db) or database (--store)", verb)
	}
	how := t.how()
	if create {
		how = creating
	}
	return openFile(ctx, t.store, how)
}

// how says how a verb opens a store that it does not make.
func (t *target) how() opening {
	if t.readOnly {
		return reading
	}
	return existing
}

// inFile refuses a database for verbs about the bytes of a file.
func inFile(verb, store string) error {
	if inDatabase(store) {
		return usagef("%s: works on a file; a database has tools of its own", verb)
	}
	return nil
}

// fileOnly refuses a server for verbs that read the bytes of a closed file. A
// server in the environment is not meant where a file is named.
func (a *app) fileOnly(c *cobra.Command, verb string, named bool) error {
	if c.Flags().Changed("url") || a.target.url != "" && !named {
		return usagef("%s: works on files that no process has open, not on a server", verb)
	}
	return nil
}

// maxKey bounds the file of an API key, in bytes.
const maxKey = 4 << 10

// secret returns the API key that the flags name.
func (t *target) secret() (string, error) {
	if t.keyFile == "" {
		return t.key, nil
	}
	if t.key != "" {
		return "", usagef("--key and --key-file are both given")
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

// storeOptions are those of verbs: nothing happens in the background.
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
