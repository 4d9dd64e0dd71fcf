package seshat

import "github.com/seshatdb/seshat/internal/msgpack"

// A namespace, by the rules at bodyVersion:
//
//	0 layout version   1 ordinal   2 id   3 name   4 internal_id
//	5 created   6 updated
//	7 to 12 its lifecycle, as 34 to 39 of a session
//	13 max_sessions   14 max_messages   15 max_bytes
const namespaceFields = 16

// encodeNamespace appends the stored form of a namespace.
func encodeNamespace(b []byte, n *Namespace) []byte {
	b = msgpack.AppendFields(b, namespaceFields, n.extra)
	b = msgpack.AppendUint(b, bodyVersion)
	b = msgpack.AppendUint(b, n.ordinal)
	b = msgpack.AppendText(b, n.ID)
	b = msgpack.AppendText(b, n.Name)
	b = msgpack.AppendText(b, n.InternalID)
	b = msgpack.AppendInt(b, millisFromTime(n.CreatedAt))
	b = msgpack.AppendInt(b, millisFromTime(n.UpdatedAt))
	b = appendLifecycle(b, &n.Lifecycle)
	b = msgpack.AppendUint(b, n.Quotas.MaxSessions)
	b = msgpack.AppendUint(b, n.Quotas.MaxMessages)
	b = msgpack.AppendUint(b, n.Quotas.MaxBytes)
	return append(b, n.extra...)
}

// decodeNamespace reads the stored form of a namespace, of whose memory it
// keeps nothing. ErrCorrupt, ErrFormat.
func decodeNamespace(b []byte) (*Namespace, error) {
	f, err := openBody(string(b))
	if err != nil {
		return nil, err
	}
	n := &Namespace{ordinal: f.Uint(), ID: f.Text(), Name: f.Text(), InternalID: f.Text()}
	n.CreatedAt, n.UpdatedAt = timeFromMillis(f.Int()), timeFromMillis(f.Int())
	readLifecycle(&f, &n.Lifecycle)
	n.Quotas = NamespaceQuotas{MaxSessions: f.Uint(), MaxMessages: f.Uint(), MaxBytes: f.Uint()}
	if n.extra, err = closeBody(&f); err != nil {
		return nil, err
	}
	return n, nil
}
