// Package suites holds the tests of the PostgreSQL driver that need more than
// the driver: the suites of package adk and of the HTTP handler, the search for
// linear orders, and several processes. It is a module of its own, so that the
// driver requires none of that.
package suites
