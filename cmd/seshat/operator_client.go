package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/transfer"
)

// operatorClient reaches a store through a server's operator socket.
type operatorClient struct{ c *client }

func newOperatorClient(t *target) (*operatorClient, error) {
	c, err := newClient(t)
	return &operatorClient{c}, err
}

// Close closes the connection.
func (o *operatorClient) Close() error { return o.c.Close() }

// send makes a call. If the status of the answer is not 200, it returns the
// error that the answer holds.
func (o *operatorClient) send(ctx context.Context, name string, in any, body io.Reader) (*http.Response, error) {
	arg, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	u := o.c.base + operatorPath + name + "?" + optionsParam + "=" + url.QueryEscape(string(arg))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u, body)
	if err != nil {
		return nil, err
	}
	res, err := o.c.http.Do(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close()
	var w wireError
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&w); err != nil || w.Message == "" {
		return nil, fmt.Errorf("%s: %s: not an operator socket of this version", o.c.base, res.Status)
	}
	return nil, &w
}

// call makes a call that returns a value.
func call[Out any](ctx context.Context, o *operatorClient, name string, in any, body io.Reader) (out Out, err error) {
	res, err := o.send(ctx, name, in, body)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	return out, json.NewDecoder(res.Body).Decode(&out)
}

// stream makes a call that writes to w.
func stream[Out any](ctx context.Context, o *operatorClient, name string, in any, w io.Writer) (out Out, err error) {
	res, err := o.send(ctx, name, in, nil)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return out, err
	}
	if text := res.Trailer.Get(errorTrailer); text != "" {
		e := &wireError{}
		return out, errors.Join(json.Unmarshal([]byte(text), e), e)
	}
	text := res.Trailer.Get(resultTrailer)
	if text == "" {
		return out, io.ErrUnexpectedEOF
	}
	return out, json.Unmarshal([]byte(text), &out)
}

// Namespaces returns the namespaces of an organization, or of all.
func (o *operatorClient) Namespaces(ctx context.Context, p place) ([]seshat.Namespace, error) {
	return call[[]seshat.Namespace](ctx, o, "namespaces", p, nil)
}

// CreateNamespace creates a namespace.
func (o *operatorClient) CreateNamespace(ctx context.Context, n seshat.Namespace) (seshat.Namespace, error) {
	return call[seshat.Namespace](ctx, o, "create-namespace", n, nil)
}

// SetNamespace changes a namespace.
func (o *operatorClient) SetNamespace(ctx context.Context, c namespaceChange) (namespaceChanged, error) {
	return call[namespaceChanged](ctx, o, "set-namespace", c, nil)
}

// DeleteNamespace erases a namespace.
func (o *operatorClient) DeleteNamespace(ctx context.Context, p place) (seshat.EraseReport, error) {
	return call[seshat.EraseReport](ctx, o, "delete-namespace", p, nil)
}

// Keys returns the API keys of an organization, or of all.
func (o *operatorClient) Keys(ctx context.Context, p place) ([]seshat.APIKey, error) {
	return call[[]seshat.APIKey](ctx, o, "keys", p, nil)
}

// CreateKey creates an API key.
func (o *operatorClient) CreateKey(ctx context.Context, k seshat.APIKey) (newKey, error) {
	return call[newKey](ctx, o, "create-key", k, nil)
}

// RevokeKey revokes an API key.
func (o *operatorClient) RevokeKey(ctx context.Context, k keyRef) (keyRef, error) {
	return call[keyRef](ctx, o, "revoke-key", k, nil)
}

// Sweep sweeps the store.
func (o *operatorClient) Sweep(ctx context.Context, s sweepOptions) (sweepReport, error) {
	return call[sweepReport](ctx, o, "sweep", s, nil)
}

// Check checks the store.
func (o *operatorClient) Check(ctx context.Context, n nothing) (checkReport, error) {
	return call[checkReport](ctx, o, "check", n, nil)
}

// Stats returns the store's counters.
func (o *operatorClient) Stats(ctx context.Context, p place) (storeStats, error) {
	return call[storeStats](ctx, o, "stats", p, nil)
}

// Compact makes the file smaller.
func (o *operatorClient) Compact(ctx context.Context, n nothing) (compacted, error) {
	return call[compacted](ctx, o, "compact", n, nil)
}

// Backup writes a copy of the file to w.
func (o *operatorClient) Backup(ctx context.Context, w io.Writer) error {
	_, err := stream[nothing](ctx, o, "backup", nothing{}, w)
	return err
}

// Export writes the selection e to w.
func (o *operatorClient) Export(ctx context.Context, e exportOptions, w io.Writer) (transfer.Counts, error) {
	return stream[transfer.Counts](ctx, o, "export", e, w)
}

// Import sends an export to the server.
func (o *operatorClient) Import(ctx context.Context, i importOptions, r io.Reader) (transfer.Report, error) {
	return call[transfer.Report](ctx, o, "import", i, r)
}
