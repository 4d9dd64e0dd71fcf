// Package sessionhttp serves a store of sessions over HTTP, in the form that
// hosted session services use. [Handler] lists the routes. The handler serves
// openapi.json, which describes every field and status.
//
// # Authentication
//
// Every request except those for /healthz, /readyz and /openapi.json carries an
// API key as a bearer token (see [seshat.Store.CreateAPIKey], or use
// [Options].Authenticate for another scheme). The header X-Namespace names the
// namespace by its id, or by its name in raw UTF-8. Use the id if the name has
// leading or trailing spaces, or if the client can only send Latin-1. The
// handler answers requests for the namespaces and sessions of other tenants as
// if these did not exist.
//
// # Session ids in paths
//
// A session id may hold any text. The handler splits a path before it unescapes
// the segments, and never cleans it, so %2F is part of an id and a segment of
// dots is an id. GET …/sessions/watch is the route of the feed: escape the
// session id "watch" as %77atch. The id "list" needs no escape, because only
// POST reaches the route …/sessions/list.
//
// # Versions
//
// An ETag identifies one state of a session: its version, the sequence number
// of its newest message, and the times of its creation and last change.
// If-None-Match compares all of it. If-Match compares only the version and the
// creation, so appends do not make an edit stale. If-Match also takes a bare
// version such as "7".
//
// # Repeating an append
//
// If an append has an Idempotency-Key, messages without an id get ids derived
// from the key and their place in the turn. The store recognizes them: within
// the life of the session, the same request appends nothing when it is
// repeated, in any process and after any restart. Its answer is the same,
// except that the status is 200 instead of 201. The same key with other
// messages is a conflict.
package sessionhttp
