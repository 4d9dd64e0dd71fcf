// Package transfer exports conversations from a store and imports them: a
// session, a user, a tenant or a whole store as JSON lines, and conversations
// in OpenAI's chat format. It uses only the public API of package seshat.
//
// # The format
//
// An export is text with one JSON object a line. The first line names the
// format and its version. The last line has the counts of the lines between and
// the SHA-256 of all bytes before it, so that an import detects a truncated or
// changed export:
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
// The lines after a namespace belong to it. The lines after a session belong to
// that session: first its state, then its log. JSON cannot represent some
// values exactly: bytes and times in documents, whole floats, the spaces inside
// of tool_inputs. A member "exact" repeats them beside the readable member. If
// a session ended or its log was edited during the export, a line of type
// "void" follows it, and the session does not count. An edited session follows
// again.
//
// Two exports of the same content have the same bytes, also if one store
// imported it from the other. An export does not contain ids of namespaces,
// leases, rates, API keys, the change feed, ids of removed messages, earlier
// values of a session's state, and expired sessions.
//
// # Snapshots
//
// An export runs beside other calls. Each session is complete up to the
// last_seq of its line. But sessions are read one after another, so the export
// as a whole is not a snapshot. Use [seshat.Store.Backup] for a snapshot.
package transfer
