package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// serving runs a server whose requests wait until release is closed.
func serving(t *testing.T, ctx context.Context,
	grace time.Duration,
) (url string, begun, release chan struct{}, ended chan error) {
	t.Helper()
	begun, release, ended = make(chan struct{}), make(chan struct{}), make(chan error, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{name: "api", scheme: "http"}
	down := s.closing()
	s.listen(l, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-down // the shutdown has begun
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "whole")
	})})
	go func() { ended <- serveAll(ctx, grace, slog.New(slog.DiscardHandler), s) }()
	return s.url, begun, release, ended
}

// Promise: a request that runs when the server is told to end is finished.
func TestShutdownFinishesWhatRuns(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	url, begun, release, ended := serving(t, ctx, time.Minute)
	answer := make(chan string, 1)
	go func() {
		res, err := http.Get(url)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		answer <- string(b)
		if err != nil {
			t.Error(err)
		}
	}()
	<-begun
	stop()
	close(release)
	if got := <-answer; got != "whole" {
		t.Errorf("the request got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// Promise: a request that does not end in time holds nobody up.
func TestShutdownEndsInTime(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	url, begun, _, ended := serving(t, ctx, time.Millisecond)
	failed := make(chan error, 1)
	go func() {
		res, err := http.Get(url)
		if err == nil {
			res.Body.Close()
		}
		failed <- err
	}()
	<-begun
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request that hung got an answer")
	}
}

// Promise: a listener that fails ends the other servers too, and is told.
func TestServerThatFailsTakesTheOthersAlong(t *testing.T) {
	broken := &server{name: "broken", scheme: "http"}
	broken.closing()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	broken.listen(l, &http.Server{})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	fine := &server{name: "fine", scheme: "http"}
	fine.closing()
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	fine.listen(l, &http.Server{})
	err = serveAll(t.Context(), time.Minute, slog.New(slog.DiscardHandler), fine, broken)
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}
