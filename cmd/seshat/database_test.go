package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
)

// databaseURL names a PostgreSQL database for tests, as a URL. If it is not
// set, the module postgres/suites starts a server and runs these tests on it.
const databaseURL = "SESHAT_TEST_POSTGRES"

// condition evaluates [postgres]: it is true if databaseURL names a database.
func condition(name string) (bool, error) {
	if name != "postgres" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return inDatabase(os.Getenv(databaseURL)), nil
}

// ownDatabase sets a variable to the URL of a new schema for the script. The
// end of the script drops the schema. Usage:
//
//	database VARIABLE
func ownDatabase(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: database VARIABLE")
	}
	dsn := os.Getenv(databaseURL)
	u, err := url.Parse(dsn)
	ts.Check(err)
	schema := fmt.Sprintf("seshat_cmd_%d_%d", os.Getpid(), time.Now().UnixNano())
	q := u.Query()
	q.Set("schema", schema)
	q.Set("max_conns", "4")
	u.RawQuery = q.Encode()
	ts.Setenv(args[0], u.String())
	ts.Defer(func() {
		ctx := context.Background()
		c, err := pgx.Connect(ctx, dsn)
		ts.Check(err)
		defer c.Close(ctx)
		_, err = c.Exec(ctx, "drop schema if exists "+schema+" cascade")
		ts.Check(err)
	})
}
