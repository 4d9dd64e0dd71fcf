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

// serveFlags configure a server.
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
	f.StringVar(&s.addr, "addr", defaultAddr, "`address` to listen on (port 0 = any free port)")
	f.BoolVar(&s.accessLog, "access-log", false, "log of each request: key, route and status, no content")
	f.StringVar(&s.logFormat, "log-format", "text", "`format` of the log on standard error: text or json")
	f.DurationVar(&s.requestTimeout, "request-timeout", time.Minute,
		"time limit to read a request, and to write its answer")
	f.DurationVar(&s.shutdownTimeout, "shutdown-timeout", 30*time.Second,
		"time limit for running requests to finish at shutdown")
	f.Int64Var(&s.maxBody, "max-body", sessionhttp.DefaultMaxBody, "maximum size of a request body, in bytes")
	env(f, "addr", "access-log", "log-format", "request-timeout", "shutdown-timeout", "max-body")
}

func (a *app) serveCmd() *cobra.Command {
	s := &serveFlags{}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve a store over HTTP",
		Long: `Serve a store over HTTP until SIGTERM or SIGINT. Then running requests finish and
the store is closed. A missing file, or missing tables of a database, are
created. Any number of servers may serve one database.

Beyond loopback, serve listens only if the store has an API key (see seshat key
create), and warns if there is no TLS. The operator socket supports every verb
of a file; only its owner can open it.`,
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
	f.StringVar(&s.tlsCert, "tls-cert", "", "PEM `file` of the TLS certificate and its chain")
	f.StringVar(&s.tlsKey, "tls-key", "", "PEM `file` of the certificate's key")
	f.StringVar(&s.socket, "operator-socket", "", "`path` of a Unix socket for operator verbs (default none)")
	f.BoolVar(&s.noKeys, "no-keys", false, "no API key needed; only on loopback")
	s.sweepEvery = duration(time.Minute)
	f.Var(&s.sweepEvery, "sweep-every", "pause between sweeps of expired sessions, or never")
	env(f, "tls-cert", "tls-key", "operator-socket", "sweep-every")
	return c
}

func (a *app) serve(ctx context.Context, s *serveFlags) error {
	if a.target.url != "" || a.target.store == "" {
		return usagef("no store: give --db FILE or --store postgres://…")
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

// check refuses invalid values and returns the address.
func (s *serveFlags) check() (*net.TCPAddr, error) {
	switch {
	case (s.tlsCert == "") != (s.tlsKey == ""):
		return nil, usagef("--tls-cert, --tls-key: give both or none")
	case s.requestTimeout <= 0 || s.shutdownTimeout < 0:
		return nil, usagef("--request-timeout must be above 0, and --shutdown-timeout at least 0")
	case s.maxBody < 1:
		return nil, usagef("--max-body: at least 1 is needed")
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
	api, err := s.listenAPI(f, addr, log)
	if err != nil {
		return err
	}
	all := []*server{api}
	if s.socket != "" {
		o, err := s.listenOperator(f, log)
		if err != nil {
			return errors.Join(err, api.Close())
		}
		all = append(all, o)
	}
	if err := a.p.show(map[string]string{"url": api.url, "db": f.at.name}, func() {
		a.p.line("serving %s on %s", f.at.name, api.url)
	}); err != nil {
		log.Warn("cannot print the address", "error", err)
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
	return nil, usagef("--log-format: %q; give text or json", s.logFormat)
}

// mayListen refuses an address beyond loopback if strangers could use the
// store.
func (s *serveFlags) mayListen(ctx context.Context, f *file, addr *net.TCPAddr, log *slog.Logger) error {
	if addr.IP.IsLoopback() {
		return nil
	}
	if s.noKeys {
		return usagef("--no-keys: only allowed on loopback, and %s is reachable from other machines", s.addr)
	}
	keys, err := f.Keys(ctx, place{})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, isValid) {
		return usagef("%s is reachable from other machines, and the store has no valid API key; see "+
			"seshat key create", s.addr)
	}
	if s.tlsCert == "" {
		log.Warn("keys and conversations are not encrypted: give --tls-cert, or use a proxy with TLS",
			"addr", s.addr)
	}
	return nil
}

// isValid reports whether a key has not expired.
func isValid(k seshat.APIKey) bool { return k.ExpiresAt.IsZero() || k.ExpiresAt.After(time.Now()) }

// listenAPI listens for the HTTP API.
func (s *serveFlags) listenAPI(f *file, addr *net.TCPAddr, log *slog.Logger) (*server, error) {
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

// httpServer returns a server with time limits for each connection. A watch
// extends its own deadline.
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

// listenOperator listens on the operator's socket.
func (s *serveFlags) listenOperator(f *file, log *slog.Logger) (*server, error) {
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
	h.WriteTimeout = 0 // imports and backups may take any time
	srv.listen(l, h)
	return srv, nil
}

// organizationHeader names the organization of the namespace in requests on the
// operator socket.
const organizationHeader = "X-Organization"

// localOnly rejects requests whose Host is not this machine. A web page sends
// such a request if its domain name resolves to this machine (DNS rebinding).
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

// socketMode lets only the owner open the operator socket.
const socketMode os.FileMode = 0o600
