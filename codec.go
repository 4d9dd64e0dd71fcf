package seshat

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
	"github.com/seshatdb/seshat/internal/rules"
)

// Each stored value is one flat msgpack array whose first element is the
// version of its layout. The layout is a list of fields, in the order of the
// elements, and one list serves reading and writing. Fields are only added at
// the end. If an array ends early, the missing fields are zero. A reader keeps
// elements that it does not know and writes them back, so that versions of the
// store that differ in fields can share a file. It refuses an array whose
// version is larger than bodyVersion with ErrFormat.
//
// Documents are binary strings that hold msgpack, so a reader can skip them
// until the caller needs them.
const bodyVersion = 1

// readBody reads a body into fields, which must be zero, and returns the
// elements that this version does not know. Errors: ErrCorrupt; ErrFormat.
func readBody(body string, fields []any) (extra string, err error) {
	r := msgpack.NewReader(body)
	n := r.Array()
	version := uint64(0)
	if n > 0 {
		version = r.Uint()
	}
	if version > bodyVersion {
		return "", fmt.Errorf("%w: layout %d, newer than %d", ErrFormat, version, bodyVersion)
	}
	if version > 0 {
		extra = r.Fields(n-1, fields)
	}
	if version == 0 || r.Failed() || r.Len() > 0 {
		return "", fmt.Errorf("%w: %w of %d bytes", ErrCorrupt, msgpack.ErrMalformed, len(body))
	}
	return extra, nil
}

// outOfRange is the error for a stored value that no version writes.
func outOfRange(field string) error {
	return fmt.Errorf("%w: %s is out of range", ErrCorrupt, field)
}

// sessionFields is the number of fields in the body of a session.
const sessionFields = 48

// bodyFields is the layout of a session. The fields of driver.Record (id, user,
// labels, status, version, numbers and sizes, created, due, expires) are not
// repeated in the body.
func (s *Session) bodyFields(in *storedFields, opt *agentOptions) [sessionFields]any {
	timeline, chosen := &in.timeline, &in.chosenLifecycle
	resolved := &timeline.Lifecycle
	return [sessionFields]any{
		&s.Name,
		&s.Agent.Model,
		&opt.temperature,
		&opt.maxTokens,
		&s.Agent.SystemPrompt,
		&s.Agent.AvailableTools,
		&s.Quotas.MaxMessages,
		&s.Quotas.MaxTokensTotal,
		&s.Quotas.MaxToolCalls,
		&s.Quotas.RateLimitMessagesPerMinute, // 10
		&s.Quotas.MaxSessionDurationMinutes,
		(*msgpack.OptBin)(&s.UserMemory.enc),
		(*msgpack.OptBin)(&s.Metadata.enc),
		&s.MemoryDisabled,
		(*msgpack.Millis)(&s.LastTransition.At),
		&s.LastTransition.Reason,
		&s.LastTransition.Actor,
		&s.Stats.TotalMessages,
		&s.Stats.TotalTokens,
		&s.Stats.TotalToolCalls, // 20
		&in.latency.SumMS,
		&in.latency.Count,
		&in.updated,
		&timeline.Active,
		&timeline.Written,
		&timeline.Terminated,
		&timeline.StatusAt,
		(*msgpack.Limit)(&resolved.TTL), // in milliseconds
		&resolved.Sliding,
		(*msgpack.Limit)(&resolved.MaxLifetime), // 30
		(*msgpack.Limit)(&resolved.IdleAfter),
		(*msgpack.Limit)(&resolved.ArchiveAfter),
		(*msgpack.Limit)(&resolved.Retention),
		(*int64)(&chosen.TTL), // in nanoseconds; 0 = not chosen, -1 = never
		(*uint8)(&chosen.Expiry),
		(*int64)(&chosen.MaxLifetime),
		(*int64)(&chosen.IdleAfter),
		(*int64)(&chosen.ArchiveAfter),
		(*int64)(&chosen.Retention),
		&s.Parent.SessionID, // 40
		&s.Parent.Seq,
		&in.rate.Minute,
		&in.rate.Count,
		&in.rate.Earlier,
		&s.lease.Owner,
		&s.lease.Token,
		&s.lease.Expires,
		&in.logEdits,
	}
}

// agentOptions is the stored form of the pointers of an AgentConfig.
type agentOptions struct {
	temperature msgpack.OptFloat
	maxTokens   msgpack.OptInt
}

// encodeSession appends the body of a session.
func encodeSession(b []byte, s *storedSession) []byte {
	var opt agentOptions
	if p := s.Agent.Temperature; p != nil {
		opt.temperature = msgpack.OptFloat{Value: *p, Set: true}
	}
	if p := s.Agent.MaxTokens; p != nil {
		opt.maxTokens = msgpack.OptInt{Value: int64(*p), Set: true}
	}
	fields := s.bodyFields(&s.storedFields, &opt)
	return msgpack.AppendArrayOf(b, bodyVersion, fields[:], s.extra)
}

// agentAlloc has the memory that the Agent of a decoded session points to, so
// that a session with up to nearbyTools tools takes one allocation.
type agentAlloc struct {
	temperature float64
	maxTokens   int
	tools       [inlineTools]string
}

// inlineTools fills up the 768 bytes that the allocator has for a sessionAlloc.
const inlineTools = 6

// sessionAlloc is a session together with the memory of its agent: a read makes
// one allocation for both, and List one for several sessions.
type sessionAlloc struct {
	Session
	agentAlloc
}

// decodeSession decodes rec for a read. The session keeps the memory of rec.
func decodeSession(rec *driver.Record, ns, internal string) (*Session, error) {
	return new(sessionAlloc).take(rec, ns, internal)
}

// take decodes rec into x. The session keeps the memory of the body and the
// strings, so the caller must not use rec again. Errors: ErrCorrupt; ErrFormat.
func (x *sessionAlloc) take(rec *driver.Record, ns, internal string) (*Session, error) {
	var in storedFields
	if err := x.decodeRecord(rec, bodyText(rec), &in, &x.agentAlloc); err != nil {
		return nil, err
	}
	x.setNames(rec, ns, internal)
	return &x.Session, nil
}

// decodeStoredSession decodes rec for a write. The session keeps the memory of
// the body and the strings, so the caller must not change them. Errors:
// ErrCorrupt; ErrFormat.
func decodeStoredSession(rec *driver.Record, ns, internal string) (*storedSession, error) {
	x := new(struct {
		storedSession
		agentAlloc
	})
	if err := x.decodeRecord(rec, bodyText(rec), &x.storedFields, &x.agentAlloc); err != nil {
		return nil, err
	}
	x.setNames(rec, ns, internal)
	return &x.storedSession, nil
}

// bodyText is the body as a string that shares its memory.
func bodyText(rec *driver.Record) string {
	return unsafe.String(unsafe.SliceData(rec.Body), len(rec.Body))
}

// setNames sets the names that are not in the body.
func (s *Session) setNames(rec *driver.Record, namespaceID, organization string) {
	s.NamespaceID = namespaceID
	s.OrganizationID = organization
	s.UserID = rec.UserID
	if len(rec.Labels) == 0 {
		return
	}
	s.Labels = make(map[string]string, len(rec.Labels))
	for _, l := range rec.Labels {
		s.Labels[l.Name] = l.Value
	}
}

// decodeRecord decodes rec, except its user and labels. body is rec.Body as a
// string. Values that are not fields of a Session go to in.
func (s *Session) decodeRecord(rec *driver.Record, body string, in *storedFields, r *agentAlloc) error {
	if err := s.decodeBody(body, in, r); err != nil {
		return err
	}
	if rec.NextSeq == 0 || !rules.Status(rec.Status).Valid() {
		return fmt.Errorf("%w: a session without status or number", ErrCorrupt)
	}
	s.ID, s.incarnation = rec.ID, rec.Incarnation
	s.Version, s.LastSeq, s.MessageCount = rec.Version, rec.NextSeq-1, rec.Messages
	in.bytes, in.filedDue = rec.Bytes, rec.Due
	in.timeline.Status, in.timeline.Created, in.timeline.Expires = rules.Status(rec.Status), rec.Created, rec.Expires
	s.deriveFields(in)
	return nil
}

func (s *Session) decodeBody(body string, in *storedFields, a *agentAlloc) (err error) {
	var opt agentOptions
	fields := s.bodyFields(in, &opt)
	s.Agent.AvailableTools = a.tools[:0]
	if in.extra, err = readBody(body, fields[:]); err != nil {
		return err
	}
	if len(s.Agent.AvailableTools) == 0 {
		s.Agent.AvailableTools = nil
	}
	if opt.temperature.Set {
		a.temperature = opt.temperature.Value
		s.Agent.Temperature = &a.temperature
	}
	if n := opt.maxTokens; n.Set {
		if n.Value < 0 || n.Value > math.MaxInt32 {
			return outOfRange("max_tokens")
		}
		a.maxTokens = int(n.Value)
		s.Agent.MaxTokens = &a.maxTokens
	}
	if s.Quotas.MaxSessionDurationMinutes > MaxQuota {
		return outOfRange("max_session_duration_minutes")
	}
	in.timeline.MaxAge = maxAge(s.Quotas)
	return nil
}

// namespaceFields is the number of fields in the stored form of a namespace.
const namespaceFields = 15

// storedFields is the layout of a namespace.
func (n *Namespace) storedFields() [namespaceFields]any {
	return [namespaceFields]any{
		&n.ordinal,
		&n.ID,
		&n.Name,
		&n.OrganizationID,
		(*msgpack.Millis)(&n.CreatedAt),
		(*msgpack.Millis)(&n.UpdatedAt),
		(*int64)(&n.Lifecycle.TTL),
		(*uint8)(&n.Lifecycle.Expiry),
		(*int64)(&n.Lifecycle.MaxLifetime),
		(*int64)(&n.Lifecycle.IdleAfter), // 10
		(*int64)(&n.Lifecycle.ArchiveAfter),
		(*int64)(&n.Lifecycle.Retention),
		&n.Quotas.MaxSessions,
		&n.Quotas.MaxMessages,
		&n.Quotas.MaxBytes,
	}
}

// encodeNamespace returns the stored form of a namespace.
func encodeNamespace(n *Namespace) []byte {
	fields := n.storedFields()
	return msgpack.AppendArrayOf(nil, bodyVersion, fields[:], n.extra)
}

// decodeNamespace reads the stored form of a namespace. The result shares no
// memory with b. ErrCorrupt, ErrFormat.
func decodeNamespace(b []byte) (*Namespace, error) {
	n := new(Namespace)
	fields := n.storedFields()
	extra, err := readBody(string(b), fields[:])
	if err != nil {
		return nil, err
	}
	n.extra = extra
	return n, nil
}
