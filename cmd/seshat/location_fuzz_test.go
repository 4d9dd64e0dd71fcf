package main

import (
	"errors"
	"maps"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/postgres"
)

// FuzzLocation reads anything as where a store is. Promise: a path is taken as
// it is; of a URL nothing is lost: all but the parameters that are ours goes
// to the database, and its name leads to the same place; anything else is a
// usage error.
func FuzzLocation(f *testing.F) {
	for _, s := range []string{
		"", "agents.db", "./postgres://x", "POSTGRES://h/d", "postgres://",
		"postgresql://u@h/d?schema=s&max_conns=8&sslmode=require",
		"postgres://u:p%40ss@h:5432/d%2Fe?max_conns=0", "postgres://h/d?schema=a&schema=b",
		"postgres://h/d?sslmode=verify-full;x=1",
		"postgres://h/d?%zz=1&sslmode=disable", "postgres://[::1]:5432/d?", "postgres://h/d#fragment",
		"postgres://u:1#secret@h/d",
		"postgres:///d?host=/run/postgresql", "postgres://h/d?schema=%00&max_conns=99999999999999999999",
		"postgres://h/d?schema=%23&a&=b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseLocation(text)
		switch {
		case err != nil:
			if !errors.Is(err, errUsage) || !inDatabase(text) || !reflect.DeepEqual(l, location{}) {
				t.Fatalf("got %+v, %v", l, err)
			}
		case !inDatabase(text):
			if want := (location{name: text, path: text}); !reflect.DeepEqual(l, want) {
				t.Fatalf("got %+v", l)
			}
		default:
			checkDatabase(t, text, l)
		}
	})
}

// checkDatabase compares a location with the URL that it was read from.
func checkDatabase(t *testing.T, text string, l location) {
	t.Helper()
	from, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(l.dsn)
	if err != nil {
		t.Fatalf("%q: %v", l.dsn, err)
	}
	want, err := url.ParseQuery(from.RawQuery)
	if err != nil {
		t.Fatalf("%q is taken, but its parameters cannot all be read: %v", text, err)
	}
	maps.DeleteFunc(want, func(name string, _ []string) bool { return name == "schema" || name == "max_conns" })
	if !reflect.DeepEqual(to.Query(), want) {
		t.Errorf("parameters %v became %v", want, to.Query())
	}
	from.RawQuery, to.RawQuery, from.ForceQuery, to.ForceQuery = "", "", false, false
	if to.Path == "/" && from.Path == "" {
		to.Path = ""
	}
	if from.String() != to.String() {
		t.Errorf("%q became %q", from, to)
	}
	again, err := parseLocation(l.dsn)
	if err != nil || again.dsn != l.dsn || again.pg != (postgres.Options{}) {
		t.Errorf("%q became %+v, %v", l.dsn, again, err)
	}
	named, err := parseLocation(l.name)
	if err != nil || named.pg.Schema != l.pg.Schema || named.name != l.name {
		t.Errorf("the name %q leads to %+v, %v", l.name, named, err)
	}
}

// FuzzPassword puts anything in the place of the password of a database's URL.
// Promise: neither the store's name nor an error shows it, unless the rest of
// the URL does.
func FuzzPassword(f *testing.F) {
	for _, pass := range []string{
		"hunter2-hunter2", "12#hunter2", "12?hunter2", "12/hunter2", "hunter2@home",
		"12%zzhunter2", "hun ter2", "%68unter2\x00", "1/#hunter2@",
	} {
		f.Add("u", pass, "h/d?schema=s")
		f.Add("", pass, "")
		f.Add("h?x", pass, "h/d")
	}
	f.Fuzz(func(t *testing.T, user, pass, rest string) {
		text := "postgres://" + user + ":" + pass + "@" + rest
		if len(pass) < 6 || strings.Contains("postgres://"+user+rest, pass) || strings.ContainsAny(user, "/?#") {
			return // too short to tell, or no password
		}
		shown := shownAs(text)
		other := shownAs("postgres://" + user + ":another-word@" + rest)
		for _, secret := range secrets(pass) {
			if strings.Contains(shown, secret) && !strings.Contains(other, secret) {
				t.Errorf("%q is shown as %q", text, shown)
			}
		}
	})
}

// shownAs is what people see of a database's URL: its name, or the error.
func shownAs(text string) string {
	l, err := parseLocation(text)
	if err != nil {
		return err.Error()
	}
	return l.name
}

// fixedText is what errors about URLs say of every one.
const fixedText = "URL of the database: syntax error # and @ are not allowed here; " +
	"in the user, password, name and parameters write"

// secrets are the parts of a password that would tell something.
func secrets(pass string) []string {
	parts := strings.FieldsFunc(pass, func(r rune) bool { return strings.ContainsRune("/?#@:", r) })
	parts = append(parts, pass)
	all := parts[:0:0]
	for _, p := range parts {
		if len(p) >= 6 && !strings.Contains(fixedText, p) {
			all = append(all, p)
		}
	}
	return all
}
