package main

import (
	"context"
	"encoding/json"
	"io"
	"iter"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/transfer"
)

// sessions is one namespace, in a store or on a server. Its methods are the
// calls that both the store and the HTTP API have.
type sessions interface {
	Create(ctx context.Context, n seshat.NewSession) (session, error)
	Get(ctx context.Context, id string) (session, error)
	List(ctx context.Context, q seshat.Query) (page, error)
	History(ctx context.Context, id string, r logRange) ([]message, error)
	Append(ctx context.Context, id string, turn []seshat.Message, idempotencyKey string) (appended, error)
	Transition(ctx context.Context, id string, m move) (moved, error)
	Erase(ctx context.Context, id string) (seshat.EraseReport, error)
	EraseUser(ctx context.Context, user string) (seshat.EraseReport, error)

	// Watch returns the events after a position. If wait is true, it then
	// returns new events until ctx ends.
	Watch(ctx context.Context, since uint64, wait bool) iter.Seq2[seshat.Event, error]
	io.Closer
}

// operator is a whole store, opened directly or reached through a server's
// operator socket.
type operator interface {
	Namespaces(ctx context.Context, p place) ([]seshat.Namespace, error)
	CreateNamespace(ctx context.Context, n seshat.Namespace) (seshat.Namespace, error)
	SetNamespace(ctx context.Context, c namespaceChange) (namespaceChanged, error)
	DeleteNamespace(ctx context.Context, p place) (seshat.EraseReport, error)
	Keys(ctx context.Context, p place) ([]seshat.APIKey, error)
	CreateKey(ctx context.Context, k seshat.APIKey) (newKey, error)
	RevokeKey(ctx context.Context, k keyRef) (keyRef, error)
	Sweep(ctx context.Context, o sweepOptions) (sweepReport, error)
	Check(ctx context.Context, _ nothing) (checkReport, error)
	Stats(ctx context.Context, p place) (storeStats, error)
	Compact(ctx context.Context, _ nothing) (compacted, error)

	// Backup writes the bytes of the store's file to w. Export writes JSON
	// lines.
	Backup(ctx context.Context, w io.Writer) error
	Export(ctx context.Context, o exportOptions, w io.Writer) (transfer.Counts, error)
	Import(ctx context.Context, o importOptions, r io.Reader) (transfer.Report, error)
	io.Closer
}

// place names a namespace, by name or id, in an organization.
type place struct {
	Organization string `json:"organization,omitempty"`
	Namespace    string `json:"namespace,omitempty"`
}

func (p place) ref() seshat.Namespace {
	return seshat.Namespace{Name: p.Namespace, OrganizationID: p.Organization}
}

// nothing is the argument of calls without one.
type nothing struct{}

// shown is a value to print. A value from a server is printed in JSON byte for
// byte as the server sent it.
type shown[T any] struct {
	v   T
	raw json.RawMessage // nil if the value comes from a file
}

// MarshalJSON returns the bytes that the server sent, or else the value's own
// JSON.
func (s shown[T]) MarshalJSON() ([]byte, error) {
	if s.raw != nil {
		return s.raw, nil
	}
	return json.Marshal(s.v)
}

// UnmarshalJSON decodes data and keeps a copy of it.
func (s *shown[T]) UnmarshalJSON(data []byte) error {
	s.raw = append(json.RawMessage(nil), data...)
	return json.Unmarshal(data, &s.v)
}

type (
	session = shown[seshat.Session]
	message = shown[seshat.Message]
)

// page is one page of a list.
type page struct {
	sessions []session
	next     string // cursor, "" on the last page
}
