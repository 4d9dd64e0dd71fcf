package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby copies the running server and starts the copy as a standby of that
// name.
func (s *Server) Standby(name string) (*Server, error) {
	dir, err := os.MkdirTemp("", "seshat-pg-")
	if err != nil {
		return nil, err
	}
	b := &Server{bin: s.bin, dir: dir, set: s.set}
	if err := b.copy(s, name); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := b.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

func (s *Server) copy(from *Server, name string) error {
	attr, err := unprivileged(s.dir)
	if err != nil {
		return err
	}
	source := fmt.Sprintf("host=127.0.0.1 port=%d user=seshat application_name=%s", from.port, name)
	cmd := exec.Command(filepath.Join(s.bin, "pg_basebackup"), "-D", s.data(), "-d", source,
		"-R", "-X", "stream", "-C", "-S", name, "--checkpoint=fast", "--no-sync")
	cmd.Dir = s.dir
	cmd.SysProcAttr = attr
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	return nil
}

// Query runs a query as the server's administrator and returns its only value
// as text.
func (s *Server) Query(ctx context.Context, sql string) (value string, err error) {
	conn, err := pgx.Connect(ctx, s.DSN())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, sql, pgx.QueryExecModeSimpleProtocol).Scan(&value)
	return value, err
}

// Do runs a statement without result as the server's administrator.
func (s *Server) Do(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.DSN())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

// Until repeats a query until it returns want.
func (s *Server) Until(ctx context.Context, sql, want string) error {
	for {
		got, err := s.Query(ctx, sql)
		if err == nil && got == want {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%s: got %q, want %q: %w", sql, got, want, errors.Join(err, ctx.Err()))
		}
	}
}

// Best returns the server that has received the largest part of its primary's
// log.
func Best(ctx context.Context, standbys ...*Server) (*Server, error) {
	var best *Server
	most := ""
	for _, s := range standbys {
		// Padded, so that positions compare as text.
		at, err := s.Query(ctx, `select lpad((pg_last_wal_receive_lsn() - '0/0')::text, 30, '0')`)
		if err != nil {
			return nil, err
		}
		if at > most {
			best = s
			most = at
		}
	}
	return best, nil
}
