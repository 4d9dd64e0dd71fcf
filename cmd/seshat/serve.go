package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

// serveFlags say how to serve.
type serveFlags struct {
	addr            string
	tlsCert, tlsKey string
	socket          string
	noKeys          bool
	accessLog       bool
	logFormat       string
	requestTimeout  time.Duration
	shutdownTimeout time.Duration
	sweepEvery      duration
	maxBody         int64
}

const defaultAddr = "127.0.0.1:7374"

func (s *serveFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&s.addr, "addr", defaultAddr, "address to listen on; port 0 is any free one")
	f.BoolVar(&s.accessLog, "access-log", false, "log each request: who, which route, the outcome, no content")
	f.StringVar(&s.logFormat, "log-format", "text", "text or json, on standard error")
	f.DurationVar(&s.requestTimeout, "request-timeout", time.Minute,
		"how long a request may take to be read, and its answer to be written")
	f.DurationVar(&s.shutdownTimeout, "shutdown-timeout", 30*time.Second, "how long running requests may take to end")
	f.Int64Var(&s.maxBody, "max-body", 16<<20, "largest body of a request, in bytes")
	env(f, "addr", "access-log", "log-format", "request-timeout", "shutdown-timeout", "max-body")
}

func (a *app) serveCmd() *cobra.Command {
	s := &serveFlags{}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve a store over HTTP",
		Long: `Serve a store over HTTP, until SIGTERM or SIGINT: then requests that run are
finished, and the store is closed. The file, or the tables of a database, are
made if there are none. Any number of servers may serve one database.

Beyond loopback, serve refuses to listen unless the store has an API key (see
seshat key create), and warns if there is no TLS. The operator socket has every
verb that the file has, for whoever may open it: its owner.`,
		Example: `  seshat namespace create --db agents.db acme
  seshat key create --db agents.db
  seshat serve --db agents.db --operator-socket /run/seshat/operator.sock
  seshat serve --store postgres://app@db.internal/agents`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.serve(c.Context(), s)
		},
	}
	f := c.Flags()
	s.flags(f)
	f.StringVar(&s.tlsCert, "tls-cert", "", "file of the TLS certificate, with its chain, in PEM")
	f.StringVar(&s.tlsKey, "tls-key", "", "file of the certificate's key, in PEM")
	f.StringVar(&s.socket, "operator-socket", "", "also serve the operator, on a Unix socket at this path")
	f.BoolVar(&s.noKeys, "no-keys", false, "ask for no API key; only on loopback")
	s.sweepEvery = duration(time.Minute)
	f.Var(&s.sweepEvery, "sweep-every", "pause between sweeps of what expired, or never")
	env(f, "tls-cert", "tls-key", "operator-socket", "sweep-every")
	return c
}

func (a *app) serve(ctx context.Context, s *serveFlags) error {
	if a.target.url != "" || a.target.store == "" {
		return usagef("which store? Give --db FILE, or --store postgres://…")
	}
	at, err := parseLocation(a.target.store)
	if err != nil {
		return err
	}
	addr, err := s.check()
	if err != nil {
		return err
	}
	log, err := s.logger(a)
	if err != nil {
		return err
	}
	store, err := at.open(ctx, creating, seshat.Options{SweepEvery: time.Duration(s.sweepEvery), Logger: log})
	if err != nil {
		return err
	}
	f := &file{store: store, at: at}
	return finish(a.serveStore(ctx, s, f, addr, log), f)
}

// check refuses values that mean nothing, and returns the address.
func (s *serveFlags) check() (*net.TCPAddr, error) {
	switch {
	case (s.tlsCert == "") != (s.tlsKey == ""):
		return nil, usagef("--tls-cert and --tls-key go together")
	case s.requestTimeout <= 0 || s.shutdownTimeout < 0:
		return nil, usagef("--request-timeout is above zero, and --shutdown-timeout not below it")
	case s.maxBody < 1:
		return nil, usagef("--max-body is a number from 1")
	}
	addr, err := net.ResolveTCPAddr("tcp", s.addr)
	if err != nil {
		return nil, usagef("--addr: %w", err)
	}
	return addr, nil
}

// serveStore serves an open store until ctx ends.
func (a *app) serveStore(ctx context.Context, s *serveFlags, f *file, addr *net.TCPAddr, log *slog.Logger) error {
	if err := s.mayListen(ctx, f, addr, log); err != nil {
		return err
	}
	api, err := s.api(f, addr, log)
	if err != nil {
		return err
	}
	all := []*server{api}
	if s.socket != "" {
		o, err := s.operator(f, log)
		if err != nil {
			return errors.Join(err, api.Close())
		}
		all = append(all, o)
	}
	if err := a.p.show(map[string]string{"url": api.url, "db": f.at.name}, func() {
		a.p.line("serving %s on %s", f.at.name, api.url)
	}); err != nil {
		log.Warn("the address could not be printed", "error", err)
	}
	return serveAll(ctx, s.shutdownTimeout, log, all...)
}

func (s *serveFlags) logger(a *app) (*slog.Logger, error) {
	switch s.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(a.err, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(a.err, nil)), nil
	}
	return nil, usagef("--log-format is text or json, not %q", s.logFormat)
}

// mayListen refuses an address beyond loopback where nothing would keep
// strangers out.
func (s *serveFlags) mayListen(ctx context.Context, f *file, addr *net.TCPAddr, log *slog.Logger) error {
	if addr.IP.IsLoopback() {
		return nil
	}
	if s.noKeys {
		return usagef("--no-keys is for loopback: %s can be reached from elsewhere", s.addr)
	}
	keys, err := f.Keys(ctx, place{})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, good) {
		return usagef("%s can be reached from elsewhere, and the store has no API key that is good: see "+
			"seshat key create", s.addr)
	}
	if s.tlsCert == "" {
		log.Warn("keys and conversations travel in the clear: give --tls-cert, or put a proxy with TLS in front",
			"addr", s.addr)
	}
	return nil
}

// good says whether a key has not expired.
func good(k seshat.APIKey) bool { return k.ExpiresAt.IsZero() || k.ExpiresAt.After(time.Now()) }

// api listens for the HTTP API.
func (s *serveFlags) api(f *file, addr *net.TCPAddr, log *slog.Logger) (*server, error) {
	srv := &server{name: "api", scheme: "http"}
	o := s.handlerOptions(log)
	o.Closing = srv.closing()
	if s.noKeys {
		o.Authenticate = func(r *http.Request) (sessionhttp.Grant, error) {
			return sessionhttp.Grant{Subject: "anyone"}, localOnly(r)
		}
	}
	if s.tlsCert != "" {
		if err := srv.certificate(s.tlsCert, s.tlsKey); err != nil {
			return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
		}
	}
	l, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return nil, err
	}
	srv.listen(l, s.httpServer(sessionhttp.Handler(f.store, o), log))
	return srv, nil
}

func (s *serveFlags) handlerOptions(log *slog.Logger) sessionhttp.Options {
	o := sessionhttp.Options{Logger: log, MaxBody: s.maxBody}
	if s.accessLog {
		o.AccessLog = log
	}
	return o
}

// httpServer bounds what one connection may hold up. A watch extends its own
// deadline as it goes on.
func (s *serveFlags) httpServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: min(s.requestTimeout, 10*time.Second),
		ReadTimeout:       s.requestTimeout,
		WriteTimeout:      s.requestTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// operator listens on the operator's socket.
func (s *serveFlags) operator(f *file, log *slog.Logger) (*server, error) {
	srv := &server{name: "operator", scheme: "unix"}
	o := s.handlerOptions(log)
	o.Closing = srv.closing()
	o.Authenticate = func(r *http.Request) (sessionhttp.Grant, error) {
		return sessionhttp.Grant{OrganizationID: r.Header.Get(organizationHeader), Subject: "operator"}, nil
	}
	m := http.NewServeMux()
	m.Handle(operatorPath, operatorHandler(f))
	m.Handle("/", sessionhttp.Handler(f.store, o))
	l, err := listenPrivate(s.socket)
	if err != nil {
		return nil, fmt.Errorf("--operator-socket: %w", err)
	}
	h := s.httpServer(m, log)
	h.ReadTimeout = 0
	h.WriteTimeout = 0 // imports and backups take as long as they take
	srv.listen(l, h)
	return srv, nil
}

// organizationHeader says on the operator's socket whose namespace is meant.
const organizationHeader = "X-Organization"

// localOnly refuses requests that name another host than this machine: a page
// in a browser, whose name was made to lead here.
func localOnly(r *http.Request) error {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return sessionhttp.ErrUnauthenticated
}

// socketMode is who may open the operator's socket: its owner.
const socketMode os.FileMode = 0o600
