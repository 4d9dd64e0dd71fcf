// Package adk keeps the sessions of Google's Agent Development Kit for Go in a
// [seshat.Store]: one file, no server.
//
//	store, err := seshat.Open("agents.db", seshat.Options{})
//	defer store.Close()
//	sessions := adk.New(store, adk.Options{})
//	r, err := runner.New(runner.Config{SessionService: sessions, …})
//
// # What is where
//
// An app is a namespace of the store (see [NamespaceName]), a user a user_id
// ([UserName]), a session a session ([SessionID]), an event a message whose
// Payload is ADK's own JSON, beside a role and text that are readable without
// ADK. State under "app:" is that of the namespace, under "user:" that of the
// user, the rest the session's; "temp:" is seen on the handle that it was
// appended to, and never stored. A namespace is made by the first Create of
// its app, never by a read.
//
// So all that the store does for a session can be done for one of ADK's, by
// [Service.Tenant] and [SessionID]: status, labels, leases, forks, the change
// feed, export. A session that is archived or terminated takes no events.
//
// # What comes back
//
// Events come back as they were given, also what ADK's JSON leaves out: an
// empty map is empty and a nil one nil. Values of type any, and state, come
// back in the types of encoding/json; a whole number that float64 cannot hold
// stays an int64 in state. On the handle to which an event was appended its
// values keep their types, as in ADK's own services. Text that is not UTF-8
// comes back with replacement characters.
//
// LastUpdateTime is the store's time of the last change, not that of an event:
// no clock decides the order of events, or who may append.
//
// # Handles
//
// A session that Create, Get or List returns stands for a place in its log.
// When somebody else appends it becomes stale, and AppendEvent on it is a
// [StaleError] that changes nothing. It is for the life of its session only:
// when that is deleted, and made again under the same names, the handle finds
// nothing.
package adk
