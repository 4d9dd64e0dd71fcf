package seshat

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unsafe"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/internal/msgpack"
	"github.com/seshatdb/seshat/internal/rules"
)

// What is stored is one msgpack array each: flat, its first element the
// version of the layout. Fields are only ever added at the end. A reader takes
// an array that ends early as zero values from there on, and keeps elements
// that it does not know and writes them back, so that versions of the store
// that differ in fields can share a file. An array whose version is larger
// than bodyVersion means something else, and is refused with ErrFormat.
//
// A session. What driver.Record has as a plain field (id, user, labels,
// status, version, numbers and sizes, created, due, expires) is not repeated:
//
//	 0 layout version         1 name
//	 2 model                  3 temperature or nil       4 max_tokens or nil
//	 5 system_prompt          6 available_tools
//	 7 max_messages           8 max_tokens_total         9 max_tool_calls
//	10 rate limit a minute   11 max duration in minutes
//	12 user_memory or nil    13 metadata or nil         14 memory disabled
//	15 last move's time      16 its reason              17 its actor
//	18 total_messages        19 total_tokens            20 total_tool_calls
//	21 sum of latencies      22 number of them
//	23 updated   24 last activity   25 last write   26 terminated   27 status since
//	28 TTL, 29 whether sliding, 30 max lifetime, 31 idle after, 32 archive
//	   after, 33 retention: as resolved, in milliseconds; 0 = never
//	34 to 39 the same as chosen for the session, in nanoseconds; 0 = not
//	   chosen, -1 = never; 35 is the Expiry
//	40 parent's id           41 its message
//	42 minute of the rate    43 messages in it          44 in the one before
//	45 lease's owner         46 its token               47 its end
//	48 edits of the log
//
// Times are Unix milliseconds, 0 = not. Documents are binary strings that hold
// msgpack, so that they are passed over until somebody asks for them.
const (
	bodyVersion   = 1
	sessionFields = 49
)

// encodeSession appends the body of a session.
func encodeSession(b []byte, s *storedSession) []byte {
	b = msgpack.AppendFields(b, sessionFields, s.extra)
	b = msgpack.AppendUint(b, bodyVersion)
	b = msgpack.AppendText(b, s.Name)
	b = appendAgent(b, &s.Agent)
	b = appendQuotas(b, &s.Quotas)
	b = appendDocument(b, s.UserMemory)
	b = appendDocument(b, s.Metadata)
	b = msgpack.AppendBool(b, s.MemoryDisabled)
	b = appendTransition(b, &s.LastTransition)
	b = appendStats(b, s)
	b = appendCourse(b, &s.storedFields)
	b = appendLifecycle(b, &s.chosenLifecycle)
	b = msgpack.AppendText(b, s.Parent.SessionID)
	b = msgpack.AppendUint(b, s.Parent.Seq)
	b = msgpack.AppendInt(b, s.rate.Minute)
	b = msgpack.AppendUint(b, s.rate.Count)
	b = msgpack.AppendUint(b, s.rate.Earlier)
	b = msgpack.AppendText(b, s.lease.Owner)
	b = msgpack.AppendUint(b, s.lease.Token)
	b = msgpack.AppendInt(b, s.lease.Expires)
	b = msgpack.AppendUint(b, s.logEdits)
	return append(b, s.extra...)
}

// agentAlloc is where a decoded session keeps what its Agent points at, so that a
// session takes one allocation: those of up to nearbyTools tools do.
type agentAlloc struct {
	temperature float64
	maxTokens   int
	tools       [nearbyTools]string
}

// nearbyTools fills up the 768 bytes that the allocator has for a sessionAlloc.
const nearbyTools = 6

// sessionAlloc is a session as reads make it.
type sessionAlloc struct {
	Session
	agentAlloc
}

// decodeSession decodes a session of its own; see sessionAlloc.take.
func decodeSession(rec *driver.Record, ns, internal string) (*Session, error) {
	return new(sessionAlloc).take(rec, ns, internal)
}

// take makes the session of a record that the caller does not use again: it
// keeps the memory of the body and the strings. ErrCorrupt, ErrFormat.
func (x *sessionAlloc) take(rec *driver.Record, ns, internal string) (*Session, error) {
	var in storedFields
	body := unsafe.String(unsafe.SliceData(rec.Body), len(rec.Body))
	if err := x.decodeRecord(rec, body, &in, &x.agentAlloc); err != nil {
		return nil, err
	}
	x.NamespaceID, x.OrganizationID, x.UserID = ns, internal, rec.User
	if len(rec.Labels) > 0 {
		x.Labels = make(map[string]string, len(rec.Labels))
		for _, l := range rec.Labels {
			x.Labels[l.Name] = l.Value
		}
	}
	return &x.Session, nil
}

// decodeStoredSession is take with all that writes need, of a record of
// whose memory it keeps nothing but the id.
func decodeStoredSession(rec *driver.Record, ns, internal string) (*storedSession, error) {
	x := new(struct {
		storedSession
		agentAlloc
	})
	text := copyTexts(rec)
	if err := x.decodeRecord(rec, text[:len(rec.Body)], &x.storedFields, &x.agentAlloc); err != nil {
		return nil, err
	}
	x.NamespaceID, x.OrganizationID = ns, internal
	x.setNames(rec, text[len(rec.Body):])
	return &x.storedSession, nil
}

// copyTexts copies what a session keeps of a record into one string: the body,
// the user, then the labels.
func copyTexts(rec *driver.Record) string {
	n := len(rec.Body) + len(rec.User)
	for _, l := range rec.Labels {
		n += len(l.Name) + len(l.Value)
	}
	var b strings.Builder
	b.Grow(n)
	b.Write(rec.Body)
	b.WriteString(rec.User)
	for _, l := range rec.Labels {
		b.WriteString(l.Name)
		b.WriteString(l.Value)
	}
	return b.String()
}

// setNames takes user and labels from their copies in text.
func (s *Session) setNames(rec *driver.Record, text string) {
	cut := func(n int) (part string) {
		part, text = text[:n], text[n:]
		return part
	}
	s.UserID = cut(len(rec.User))
	if len(rec.Labels) == 0 {
		return
	}
	s.Labels = make(map[string]string, len(rec.Labels))
	for _, l := range rec.Labels {
		name := cut(len(l.Name))
		s.Labels[name] = cut(len(l.Value))
	}
}

// decodeRecord reads all but the names of a record whose body is that string. What
// is no field of a Session goes to in.
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

func (s *Session) decodeBody(body string, in *storedFields, r *agentAlloc) (err error) {
	f, err := openBody(body)
	if err != nil {
		return err
	}
	s.Name = f.Text()
	s.Agent.read(&f, r)
	readQuotas(&f, &s.Quotas)
	s.UserMemory, s.Metadata = readDocument(&f), readDocument(&f)
	s.MemoryDisabled = f.Bool()
	s.LastTransition = Transition{At: timeFromMillis(f.Int()), Reason: f.Text(), Actor: f.Text()}
	var n [5]uint64
	f.Uints(n[:])
	s.Stats = SessionStats{TotalMessages: n[0], TotalTokens: n[1], TotalToolCalls: n[2]}
	in.latency = latency{SumMS: n[3], Count: n[4]}
	in.decodeTimeline(&f)
	in.timeline.MaxAge = maxAge(s.Quotas)
	s.Parent = Parent{SessionID: f.Text(), Seq: f.Uint()}
	in.rate = rules.Rate{Minute: f.Int(), Count: f.Uint(), Earlier: f.Uint()}
	s.lease = lease{Owner: f.Text(), Token: f.Uint(), Expires: f.Int()}
	in.logEdits = f.Uint()
	in.extra, err = closeBody(&f)
	return err
}

// openBody begins to read a body and checks its version. ErrFormat.
func openBody(body string) (msgpack.Fields, error) {
	f := msgpack.ReadFields(body)
	v := f.Uint()
	if v > bodyVersion {
		return f, fmt.Errorf("%w: layout %d, newer than %d", ErrFormat, v, bodyVersion)
	}
	f.Require(v > 0)
	return f, nil
}

// closeBody ends reading a body. ErrCorrupt.
func closeBody(f *msgpack.Fields) (extra string, err error) {
	if extra, err = f.Close(); err != nil {
		return "", fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return extra, nil
}

func appendAgent(b []byte, a *AgentConfig) []byte {
	b = msgpack.AppendText(b, a.Model)
	if a.Temperature == nil {
		b = msgpack.AppendNil(b)
	} else {
		b = msgpack.AppendFloat(b, *a.Temperature)
	}
	if a.MaxTokens == nil {
		b = msgpack.AppendNil(b)
	} else {
		b = msgpack.AppendInt(b, int64(*a.MaxTokens))
	}
	b = msgpack.AppendText(b, a.SystemPrompt)
	b = msgpack.AppendArray(b, len(a.AvailableTools))
	for _, name := range a.AvailableTools {
		b = msgpack.AppendText(b, name)
	}
	return b
}

func (a *AgentConfig) read(f *msgpack.Fields, r *agentAlloc) {
	a.Model = f.Text()
	if t, ok := f.OptFloat(); ok {
		r.temperature, a.Temperature = t, &r.temperature
	}
	if n, ok := f.OptInt(); ok {
		f.Require(n >= 0 && n <= math.MaxInt32)
		r.maxTokens, a.MaxTokens = int(n), &r.maxTokens
	}
	a.SystemPrompt = f.Text()
	a.AvailableTools = f.Texts(r.tools[:0])
}

func appendQuotas(b []byte, q *Quotas) []byte {
	b = msgpack.AppendUint(b, q.MaxMessages)
	b = msgpack.AppendUint(b, q.MaxTokensTotal)
	b = msgpack.AppendUint(b, q.MaxToolCalls)
	b = msgpack.AppendUint(b, q.RateLimitMessagesPerMinute)
	return msgpack.AppendUint(b, q.MaxSessionDurationMinutes)
}

func readQuotas(f *msgpack.Fields, q *Quotas) {
	var n [5]uint64
	f.Uints(n[:])
	*q = Quotas{n[0], n[1], n[2], n[3], n[4]}
	f.Require(q.MaxSessionDurationMinutes <= math.MaxInt64/60_000)
}

func appendDocument(b []byte, d Document) []byte {
	if d.enc == "" {
		return msgpack.AppendNil(b)
	}
	return msgpack.AppendBin(b, d.enc)
}

func readDocument(f *msgpack.Fields) Document {
	enc, _ := f.Bin()
	return Document{enc: enc}
}

func appendTransition(b []byte, m *Transition) []byte {
	b = msgpack.AppendInt(b, millisFromTime(m.At))
	b = msgpack.AppendText(b, m.Reason)
	return msgpack.AppendText(b, m.Actor)
}

func appendStats(b []byte, s *storedSession) []byte {
	b = msgpack.AppendUint(b, s.Stats.TotalMessages)
	b = msgpack.AppendUint(b, s.Stats.TotalTokens)
	b = msgpack.AppendUint(b, s.Stats.TotalToolCalls)
	b = msgpack.AppendUint(b, s.latency.SumMS)
	return msgpack.AppendUint(b, s.latency.Count)
}

func appendCourse(b []byte, in *storedFields) []byte {
	c := &in.timeline
	b = msgpack.AppendInt(b, in.updated)
	b = msgpack.AppendInt(b, c.Active)
	b = msgpack.AppendInt(b, c.Written)
	b = msgpack.AppendInt(b, c.Terminated)
	b = msgpack.AppendInt(b, c.StatusAt)
	b = appendMillis(b, c.Lifecycle.TTL)
	b = msgpack.AppendBool(b, c.Lifecycle.Sliding)
	b = appendMillis(b, c.Lifecycle.MaxLifetime)
	b = appendMillis(b, c.Lifecycle.IdleAfter)
	b = appendMillis(b, c.Lifecycle.ArchiveAfter)
	return appendMillis(b, c.Lifecycle.Retention)
}

// decodeTimeline reads what a record does not have of a course, and the lifecycle
// that follows it.
func (in *storedFields) decodeTimeline(f *msgpack.Fields) {
	c := &in.timeline
	var n [16]int64
	f.Ints(n[:6])
	in.updated = n[0]
	c.Active, c.Written, c.Terminated, c.StatusAt = n[1], n[2], n[3], n[4]
	c.Lifecycle.Sliding = f.Bool()
	f.Ints(n[6:])
	c.Lifecycle.TTL, c.Lifecycle.MaxLifetime = millisOf(f, n[5]), millisOf(f, n[6])
	c.Lifecycle.IdleAfter, c.Lifecycle.ArchiveAfter, c.Lifecycle.Retention = millisOf(f, n[7]), millisOf(f, n[8]), millisOf(f, n[9])
	in.chosenLifecycle.setFields(f, (*[6]int64)(n[10:]))
}

// appendMillis appends a duration of package rules, of which none is zero, so
// that zero can stand for the one which is most common and longest to write.
func appendMillis(b []byte, ms int64) []byte {
	if ms == rules.Never {
		ms = 0
	}
	return msgpack.AppendInt(b, ms)
}

// millisOf is the inverse of appendMillis.
func millisOf(f *msgpack.Fields, ms int64) int64 {
	f.Require(ms >= 0)
	if ms == 0 {
		return rules.Never
	}
	return ms
}

// appendLifecycle appends the six fields of a lifecycle that is not resolved.
func appendLifecycle(b []byte, l *Lifecycle) []byte {
	b = msgpack.AppendInt(b, int64(l.TTL))
	b = msgpack.AppendUint(b, uint64(l.Expiry))
	b = msgpack.AppendInt(b, int64(l.MaxLifetime))
	b = msgpack.AppendInt(b, int64(l.IdleAfter))
	b = msgpack.AppendInt(b, int64(l.ArchiveAfter))
	return msgpack.AppendInt(b, int64(l.Retention))
}

func readLifecycle(f *msgpack.Fields, l *Lifecycle) {
	var n [6]int64
	f.Ints(n[:])
	l.setFields(f, &n)
}

func (l *Lifecycle) setFields(f *msgpack.Fields, n *[6]int64) {
	f.Require(n[1] >= 0 && n[1] <= math.MaxUint8)
	l.TTL, l.Expiry, l.MaxLifetime = time.Duration(n[0]), Expiry(n[1]), time.Duration(n[2])
	l.IdleAfter, l.ArchiveAfter, l.Retention = time.Duration(n[3]), time.Duration(n[4]), time.Duration(n[5])
}

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
	b = msgpack.AppendText(b, n.OrganizationID)
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
	n := &Namespace{ordinal: f.Uint(), ID: f.Text(), Name: f.Text(), OrganizationID: f.Text()}
	n.CreatedAt, n.UpdatedAt = timeFromMillis(f.Int()), timeFromMillis(f.Int())
	readLifecycle(&f, &n.Lifecycle)
	n.Quotas = NamespaceQuotas{MaxSessions: f.Uint(), MaxMessages: f.Uint(), MaxBytes: f.Uint()}
	if n.extra, err = closeBody(&f); err != nil {
		return nil, err
	}
	return n, nil
}
