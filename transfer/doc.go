// Package transfer takes conversations out of a store and into one: a session,
// a user, a tenant or a whole store as JSON lines, and conversations in the
// chat format of OpenAI. It stands on the public API of package seshat alone.
//
// # The format
//
// An export is text, one JSON object a line. The first names the format and
// its version, the last has the counts of what is in between and the SHA-256
// of all bytes before it, so a file that was cut off or changed is noticed:
//
//	{"format":"seshat","version":1}
//	{"type":"namespace","namespace":{"name":"acme", …}}
//	{"type":"state","scope":"namespace","state":{"currency":"EUR"}}
//	{"type":"state","scope":"user","user_id":"mia","state":{"theme":"dark"}}
//	{"type":"session","session":{"session_id":"ses_…", …}}
//	{"type":"state","scope":"session","state":{"step":3}}
//	{"type":"message","message":{"message_id":"msg_…","seq":1, …}}
//	{"type":"end","counts":{…},"sha256":"…"}
//
// What follows a namespace belongs to it, and what follows a session to that:
// first its state, then its log. Where JSON cannot say a value exactly (bytes
// and times in documents, whole floats, the spaces inside of tool_inputs), a
// member "exact" beside the readable one has it again. A session that ended, or
// whose log was edited, while it was exported is followed by a line of type
// "void" and does not count; an edited one comes once more.
//
// Two exports of the same content are the same bytes, also if one of them is
// of a store into which the other was imported. What does not come along:
// ids of namespaces, leases, rates, API keys, the change feed, ids of messages
// that were removed, what a session's state was at earlier numbers, and
// sessions that have expired since.
//
// # Snapshots
//
// An export runs beside other calls. Each session in it is whole, its log up to
// the last_seq that its line says; but sessions are read one after another, so
// together they are not one snapshot. [seshat.Store.Backup] makes one.
package transfer
