// Package adk keeps the sessions of Google's Agent Development Kit for Go in a
// [seshat.Store]: one file, no server.
//
//	store, err := seshat.Open("agents.db", seshat.Options{})
//	defer store.Close()
//	sessions := adk.New(store, adk.Options{})
//	r, err := runner.New(runner.Config{SessionService: sessions, …})
//
// # Mapping
//
// An app is a namespace of the store (see [NamespaceName]), a user is a user_id
// ([UserName]), and a session is a session ([SessionID]). An event is a
// message. Its Payload is ADK's own JSON, and its role and text are readable
// without ADK. State under "app:" belongs to the namespace, state under "user:"
// to the user, other state to the session. State under "temp:" is visible on
// the handle to which it was appended and never stored. Only Create makes the
// namespace of an app; reads never do.
//
// So [Service.Tenant] and [SessionID] give access to everything that the store
// offers for a session: status, labels, leases, forks, the change feed, export.
// A session whose status is read-only takes no events.
//
// # Fidelity
//
// Events come back unchanged, including details that ADK's JSON omits: an empty
// map stays empty and a nil map nil. State and values of type any come back
// with the types of encoding/json, except that an integer of state that float64
// cannot represent stays an int64. On the handle to which an event was
// appended, values keep their types, as in ADK's own services. Invalid UTF-8
// comes back with replacement characters.
//
// LastUpdateTime is the store's time of the last change, not the time of an
// event. No clock decides the order of events, or who may append.
//
// # Handles
//
// A session returned by Create, Get or List is a handle at one position of the
// log. When another handle appends, it becomes stale, and AppendEvent on it
// returns a [StaleError] and changes nothing. A handle belongs to one life of
// its session: if the session is deleted and created again with the same names,
// the handle finds nothing.
package adk
