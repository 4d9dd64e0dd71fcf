package postgres

import (
	"errors"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/driver"
)

// FuzzDSN reads anything as the DSN of a database, with a password in it or
// behind it. Promise: it is ErrInvalid, in which the password does not show,
// or a configuration with the bounds that the options name.
func FuzzDSN(f *testing.F) {
	forms := []struct{ before, behind string }{
		{"postgres://u:", "@"},
		{"postgresql://h/d?password=", "&"},
		{"host=h password=", " "},
		{"password='", "' "},
		{"", ""},
	}
	for form := range forms {
		for _, s := range []struct{ pass, rest string }{
			{"hunter2-hunter2", "h/d?schema=s"},
			{"hunter2/hunter2", "h:port/d"},
			{"hunter2 hunter2", "port=x"},
			{"hunter2%zzhunter2", "h:1,h:2"},
			{"hunter2'hunter2", "sslmode=none"},
			{"hunter2\\", "pool_max_conns=0"},
			{"hunter2#hunter2", "?connect_timeout=-1"},
			{"postgres://", "h?default_query_exec_mode=x"},
			{"sslrootcert=/nowhere", " sslmode=verify-full"},
			{"host=h,i port=1,2,3", ""},
			{"hunter2hunter2", "= =x"},
		} {
			f.Add(uint8(form), s.pass, s.rest)
		}
	}
	o, err := Options{MaxConns: 7}.withDefaults()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, form uint8, pass, rest string) {
		at := forms[int(form)%len(forms)]
		dsn := at.before + pass + at.behind + rest
		if strings.Contains(dsn, "/dev") || strings.Contains(dsn, "/proc") {
			return // a certificate to be read from a device
		}
		c, err := poolConfig(dsn, o)
		switch {
		case err == nil && (c.MaxConns != 7 || c.MinConns != 0 || c.ConnConfig.ConnectTimeout <= 0):
			t.Errorf("%q: %d to %d connections, timeout %v", dsn, c.MinConns, c.MaxConns, c.ConnConfig.ConnectTimeout)
		case err == nil:
		case !errors.Is(err, driver.ErrInvalid):
			t.Errorf("%q: %v", dsn, err)
		case at.before != "" && len(pass) >= 8 && strings.Contains(err.Error(), pass):
			t.Errorf("%q is shown: %v", dsn, err)
		}
	})
}

// FuzzSchema gives anything as the name of a schema. Promise: it is ErrInvalid,
// or every statement holds it as one quoted name and nothing else of it.
func FuzzSchema(f *testing.F) {
	for _, s := range []string{
		"", "seshat", `a"; drop table x; --`, "a.b", "{s}", "\x00", "\xff", "${1}",
		strings.Repeat("s", 64), "Ünï", `""`, "'",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		o, err := Options{Schema: name}.withDefaults()
		if err != nil {
			if !errors.Is(err, driver.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		text := qualifier(o.Schema).Replace("{a}")
		inside, ok := strings.CutPrefix(text, `"`)
		at := strings.Index(strings.ReplaceAll(inside, `""`, "xx"), `"`)
		if !ok || at < 0 || strings.ReplaceAll(inside[:at], `""`, `"`) != o.Schema ||
			strings.ContainsAny(inside[at+1:], "{}") {
			t.Fatalf("%q became %q", o.Schema, text)
		}
	})
}
