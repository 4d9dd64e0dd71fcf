// Package sessionhttp serves a store of sessions over HTTP, in the form that
// hosted session services use: see [Handler] for the routes, and openapi.json,
// which the handler serves, for every field and status.
//
// # Who may do what
//
// Each request but those for /healthz, /readyz and /openapi.json carries an API
// key as a bearer token (see [seshat.Store.CreateAPIKey], or
// [Options].Authenticate for the host's own way) and in X-Namespace the
// namespace that it is about: by its id, or by its name as raw UTF-8. A name
// with spaces at its ends, or from a client that can only send Latin-1, is
// reached by its id. A namespace or session of somebody else answers like one
// that does not exist.
//
// # Session ids in paths
//
// A session id may hold any text, so a path is taken apart before it is
// unescaped, and never cleaned: %2F is part of an id, and so is a segment of
// dots. Two words are taken: POST …/sessions/list and GET …/sessions/watch are
// routes. A session of the id "watch" is read as %77atch.
//
// # Versions
//
// An ETag names one state of a session: its version, the number of its newest
// message, and when it was created and changed. If-None-Match compares all of
// it. If-Match compares the version and the creation alone, so that appends do
// not make an edit stale; a bare version such as "7" is taken too.
//
// # Repeating an append
//
// Messages without an id that come with an Idempotency-Key get ids made of the
// key and their place, so that the store knows them again: the same request,
// sent again within the life of the session, by any process and after any
// restart, appends nothing and answers as it did, but for the status, which is
// 200 in place of 201. The same key with other messages is a conflict.
package sessionhttp
