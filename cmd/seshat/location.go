package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/boltdriver"
	"github.com/seshatdb/seshat/postgres"
)

// location is the place of a store: a file or a database.
type location struct {
	name string // for messages, without a password
	path string // of the file, "" for a database
	dsn  string // of the database
	pg   postgres.Options
}

// inDatabase reports whether the text of a flag names a database.
func inDatabase(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	return ok && (scheme == "postgres" || scheme == "postgresql")
}

// parseLocation parses a path or the URL of a database. Two parameters of the
// URL are Seshat's, not PostgreSQL's: schema and max_conns.
func parseLocation(text string) (location, error) {
	if !inDatabase(text) {
		return location{name: text, path: text}, nil
	}
	u, q, err := parseDatabase(text)
	if err != nil {
		return location{}, err
	}
	l := location{}
	l.pg.Schema = q.Get("schema")
	if n := q.Get("max_conns"); n != "" {
		if l.pg.MaxConns, err = strconv.Atoi(n); err != nil || l.pg.MaxConns < 1 {
			return location{}, usagef("URL of the database: max_conns must be a number, at least 1")
		}
	}
	q.Del("schema")
	q.Del("max_conns")
	u.RawQuery = q.Encode()
	l.dsn = u.String()
	u.RawQuery = ""
	if l.pg.Schema != "" {
		u.RawQuery = url.Values{"schema": {l.pg.Schema}}.Encode()
	}
	l.name = u.Redacted()
	return l, nil
}

// parseDatabase parses the URL of a database and its parameters. Its errors
// show no part of the URL. If the password is not escaped, parts of it end up
// in the fragment, the path or the parameters: such a URL is refused, and so is
// a parameter that would be lost.
func parseDatabase(text string) (*url.URL, url.Values, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, nil, usagef("URL of the database: syntax error")
	}
	if u.Fragment != "" || strings.Contains(u.EscapedPath()+u.RawQuery, "@") {
		return nil, nil,
			usagef("URL of the database: # and @ are not allowed here; in the user, password, name " +
				"and parameters write %%23 for #, %%40 for @, %%2F for / and %%3F for ?")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, nil, usagef("URL of the database: syntax error in the parameters")
	}
	u.ForceQuery = false
	if u.Host == "" && u.Path == "" && u.User == nil {
		u.Path = "/" // or it would be written without // without a path the URL would be printed without //
	}
	return u, q, nil
}

// database reports whether the store is in a database.
func (l location) database() bool { return l.path == "" }

// opening is a way to open a store.
type opening int

const (
	reading  opening = iota // read only
	existing                // read and write, so that a mistyped name makes no new store
	creating                // read and write, and create a missing store
)

// open opens the store.
func (l location) open(ctx context.Context, how opening, o seshat.Options) (s *seshat.Store, err error) {
	o.ReadOnly = how == reading
	if !l.database() {
		if err = l.exists(how); err == nil {
			s, err = seshat.Open(l.path, o)
		}
		return s, l.explain(err)
	}
	d, err := l.connect(ctx, how)
	if err != nil {
		return nil, l.explain(err)
	}
	s, err = seshat.OpenDriver(d, o)
	return s, l.explain(err)
}

// driver opens the store's engine without the store.
func (l location) driver(ctx context.Context, how opening) (d driver.Driver, err error) {
	if l.database() {
		d, err = l.connect(ctx, how)
	} else if err = l.exists(how); err == nil {
		d, err = boltdriver.Open(l.path, boltdriver.Options{ReadOnly: how == reading, VerifyLimit: -1})
	}
	if err != nil {
		return nil, l.explain(err)
	}
	return d, nil
}

// explain adds the store's name to an error.
func (l location) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", l.name, err)
}

func (l location) exists(how opening) error {
	if how == creating {
		return nil
	}
	_, err := os.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (seshat namespace create and seshat serve create a file)", fs.ErrNotExist)
	}
	return nil // opening the file will find any other error
}

// connect opens the database. Only creating makes the tables or upgrades them.
func (l location) connect(ctx context.Context, how opening) (*postgres.Driver, error) {
	if how != creating {
		o := l.pg
		o.ReadOnly = true
		d, err := postgres.Open(ctx, l.dsn, o)
		if errors.Is(err, driver.ErrFormat) {
			err = fmt.Errorf("%w (seshat namespace create and seshat serve make the tables, or bring them to "+
				"this version)", err)
		}
		if err != nil || how == reading {
			return d, err
		}
		if err := d.Close(); err != nil {
			return nil, err
		}
	}
	return postgres.Open(ctx, l.dsn, l.pg)
}
