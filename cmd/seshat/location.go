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

// location is where a store is: in a file or in a database.
type location struct {
	name string // for people: without a password
	path string // of the file; "" = it is in a database
	dsn  string // of the database
	pg   postgres.Options
}

// inDatabase reports whether the text of a flag names a database.
func inDatabase(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	return ok && (scheme == "postgres" || scheme == "postgresql")
}

// parseLocation reads a path, or the URL of a database. Two parameters of the
// URL are ours, and not PostgreSQL's: schema and max_conns.
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
			return location{}, usagef("max_conns of the database's URL is a number from 1")
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

// parseDatabase reads the URL of a database and its parameters. Its errors show
// nothing of it. What a password ends up in that was not escaped (a fragment, a
// path, parameters) is refused, as is a parameter that would be lost.
func parseDatabase(text string) (*url.URL, url.Values, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, nil, usagef("the URL of the database cannot be read")
	}
	if u.Fragment != "" || strings.Contains(u.EscapedPath()+u.RawQuery, "@") {
		return nil, nil,
			usagef("the URL of the database holds a # or @ in a place that has none: in user, password, name " +
				"and parameters they are %%23 and %%40, and / and ? are %%2F and %%3F")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, nil, usagef("the parameters of the database's URL cannot be read")
	}
	u.ForceQuery = false
	if u.Host == "" && u.Path == "" && u.User == nil {
		u.Path = "/" // or it would be written without //
	}
	return u, q, nil
}

// database reports whether the store is in one.
func (l location) database() bool { return l.path == "" }

// opening says how a store is to be opened.
type opening int

const (
	reading  opening = iota // and never written
	existing                // a mistyped name makes no new store
	creating                // if there is none
)

// open opens the store there.
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

// driver opens only the engine there.
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

// explain names the store in an error, if there is one.
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
		return fmt.Errorf("%w (seshat namespace create and seshat serve make a new file)", fs.ErrNotExist)
	}
	return nil // what else there is, opening it will tell
}

// connect opens the database. Tables are made, or brought to this version, only
// by what may create a store.
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
