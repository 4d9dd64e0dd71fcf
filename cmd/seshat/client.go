package main

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// unixPrefix is the prefix of the URL of an operator socket.
const unixPrefix = "unix:"

// maxAnswer is the largest answer that the client reads, in bytes.
const maxAnswer = 64 << 20

// client is an HTTP client for one server.
type client struct {
	http    *http.Client
	base    string // without a trailing slash
	timeout time.Duration
}

func newClient(t *target) (*client, error) {
	tr := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
	}
	c := &client{
		http: &http.Client{
			Transport:     tr,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base:    strings.TrimRight(t.url, "/"),
		timeout: t.timeout,
	}
	if path, ok := strings.CutPrefix(t.url, unixPrefix); ok {
		tr.Proxy = nil
		tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}
		c.base = "http://operator"
		return c, nil
	}
	u, err := url.Parse(t.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--url: %q; give http(s)://HOST:PORT or unix:PATH", t.url)
	}
	return c, nil
}

// Close closes idle connections.
func (c *client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// bounded adds the call's time limit to ctx.
func (c *client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.timeout)
}
