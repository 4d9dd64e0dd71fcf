package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// server is one listener and its handler.
type server struct {
	name, scheme string
	url          string
	l            net.Listener
	h            *http.Server
	tls          *tls.Config
	down         chan struct{} // closed when the server begins to shut down
}

// closing returns a channel that is closed when the server begins to shut down.
func (s *server) closing() <-chan struct{} {
	s.down = make(chan struct{})
	return s.down
}

func (s *server) certificate(cert, key string) error {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	s.scheme = "https"
	s.tls = &tls.Config{
		Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"},
		MinVersion: tls.VersionTLS12,
	}
	return nil
}

func (s *server) listen(l net.Listener, h *http.Server) {
	s.l = l
	s.h = h
	s.url = s.scheme + "://" + l.Addr().String()
	h.TLSConfig = s.tls
	down := s.down
	h.RegisterOnShutdown(func() { close(down) })
}

// Close stops listening. Call it only before the server runs.
func (s *server) Close() error { return s.l.Close() }

func (s *server) run() error {
	var err error
	if s.tls != nil {
		err = s.h.ServeTLS(s.l, "", "")
	} else {
		err = s.h.Serve(s.l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// serveAll runs servers until ctx ends or one of them fails. It then lets
// running requests finish for at most grace.
func serveAll(ctx context.Context, grace time.Duration, log *slog.Logger, all ...*server) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(all))
	for _, s := range all {
		go func() {
			ended <- s.run()
			cancel() // one failure stops all servers
		}()
	}
	<-ctx.Done()
	log.Info("shutting down")
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer stop()
	var err error
	for _, s := range all {
		if e := s.h.Shutdown(late); e != nil {
			log.Warn("requests were cut off", "server", s.name)
			err = errors.Join(err, s.h.Close())
		}
	}
	for range all {
		err = errors.Join(err, <-ended)
	}
	return err
}

// listenPrivate listens on a Unix socket that only its owner may open. It
// creates the socket in a private directory and moves it, so that nobody else
// can ever open it.
func listenPrivate(path string) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	temp := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: temp, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(temp, socketMode)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &socket{l, path}, nil
}

// socket is a listener that removes its path when it is closed.
type socket struct {
	*net.UnixListener
	path string
}

// Close stops listening and removes the path.
func (s *socket) Close() error {
	return errors.Join(s.UnixListener.Close(), ignoreMissing(os.Remove(s.path)))
}

// removeStale removes a socket on which no server listens any more.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s: %w, and is not a socket", path, fs.ErrExist)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("%s: another server listens on it: %w", path, fs.ErrExist), c.Close())
	}
	return os.Remove(path)
}
