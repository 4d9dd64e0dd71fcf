package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/seshatdb/seshat/transfer"
)

// Parts of the protocol between operator verbs and a server. Both sides come
// from the same build of this program, so the protocol is private.
const (
	operatorPath   = "/operator/v1/"
	optionsParam   = "options"       // the call's argument, in JSON
	errorTrailer   = "Seshat-Error"  // a wireError that ended a stream
	resultTrailer  = "Seshat-Result" // the result of a stream
	maxOperatorArg = 1 << 20
)

// operatorHandler serves a store to its operator and allows every caller
// everything. Serve it only on a socket that nobody else can open.
func operatorHandler(f *file) http.Handler {
	m := http.NewServeMux()
	serveCall(m, "namespaces", f.Namespaces)
	serveCall(m, "create-namespace", f.CreateNamespace)
	serveCall(m, "set-namespace", f.SetNamespace)
	serveCall(m, "delete-namespace", f.DeleteNamespace)
	serveCall(m, "keys", f.Keys)
	serveCall(m, "create-key", f.CreateKey)
	serveCall(m, "revoke-key", f.RevokeKey)
	serveCall(m, "sweep", f.Sweep)
	serveCall(m, "check", f.Check)
	serveCall(m, "stats", f.Stats)
	serveCall(m, "compact", f.Compact)
	serveCall(m, "import", func(ctx context.Context, o importOptions) (transfer.Report, error) {
		r, err := f.Import(ctx, o, body(ctx))
		// A client that is still sending would not read the answer.
		if err != nil {
			_, _ = io.Copy(io.Discard, body(ctx))
		}
		return r, err
	})
	serveStream(m, "backup", func(ctx context.Context, _ nothing, w io.Writer) (nothing, error) {
		return nothing{}, f.Backup(ctx, w)
	})
	serveStream(m, "export", f.Export)
	return m
}

// serveCall serves a call that takes and returns a value.
func serveCall[In, Out any](m *http.ServeMux, name string, fn func(context.Context, In) (Out, error)) {
	m.HandleFunc("POST "+operatorPath+name, func(w http.ResponseWriter, r *http.Request) {
		in, err := argument[In](r)
		if err != nil {
			answer(w, http.StatusBadRequest, newWireError(err))
			return
		}
		out, err := fn(context.WithValue(r.Context(), bodyKey{}, r.Body), in)
		if err != nil {
			answer(w, http.StatusUnprocessableEntity, newWireError(err))
			return
		}
		answer(w, http.StatusOK, out)
	})
}

// serveStream serves a call that writes a stream. Trailers carry its result.
func serveStream[In, Out any](m *http.ServeMux, name string, fn func(context.Context, In, io.Writer) (Out, error)) {
	m.HandleFunc("POST "+operatorPath+name, func(w http.ResponseWriter, r *http.Request) {
		in, err := argument[In](r)
		if err != nil {
			answer(w, http.StatusBadRequest, newWireError(err))
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Trailer", errorTrailer+", "+resultTrailer)
		out, err := fn(r.Context(), in, w)
		setTrailer(h, resultTrailer, out)
		if err != nil {
			setTrailer(h, errorTrailer, newWireError(err))
		}
	})
}

func setTrailer(h http.Header, name string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte(`{"code":"error","message":"the result cannot be encoded"}`)
	}
	h.Set(name, string(b))
}

// bodyKey is the context key of the request's body.
type bodyKey struct{}

func body(ctx context.Context) io.Reader {
	r, _ := ctx.Value(bodyKey{}).(io.Reader)
	return r
}

func argument[T any](r *http.Request) (v T, err error) {
	text := r.URL.Query().Get(optionsParam)
	if len(text) > maxOperatorArg {
		return v, errors.New("the argument is too long")
	}
	if text == "" {
		return v, nil
	}
	return v, json.Unmarshal([]byte(text), &v)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have left
}
