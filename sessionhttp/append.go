package sessionhttp

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonin"
	"github.com/seshatdb/seshat/sessionhttp/internal/jsonout"
)

// append answers POST /v1/agents/sessions/{session_id}/messages.
func (x *exchange) append() error {
	if _, err := x.queryOf(); err != nil {
		return err
	}
	f, err := x.form()
	if err != nil {
		return err
	}
	turn := seshat.Turn{Messages: f.messages(), IfLastSeq: f.uint("after", 0, math.MaxInt64)}
	f.done()
	if err := f.err(); err != nil {
		return err
	}
	key := x.r.Header.Get("Idempotency-Key")
	derived := nameMessages(turn.Messages, key)
	a, err := x.t.AppendTurn(x.r.Context(), x.session, turn)
	if err == nil && a.Repeated && derived {
		err = x.checkWhole(key, &a, len(turn.Messages))
	}
	if err != nil {
		return err
	}
	return x.appended(&a, turn.Messages)
}

func (x *exchange) appended(a *seshat.AppendResult, ms []seshat.Message) error {
	x.tag(a.Session)
	b := jsonout.Text(append(x.out, `{"session_id":`...), a.Session.ID)
	b = append(b, `,"message_ids":[`...)
	for i := range ms {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonout.Text(b, ms[i].ID)
	}
	b = jsonout.Uint(append(b, `],"first_seq":`...), a.First)
	b = jsonout.Uint(append(b, `,"last_seq":`...), a.Last)
	b = strconv.AppendBool(append(b, `,"repeated":`...), a.Repeated)
	b = jsonout.Text(append(b, `,"status":`...), a.Session.Status.String())
	x.out = append(jsonout.Uint(append(b, `,"message_count":`...), a.Session.MessageCount), '}')
	if a.Repeated {
		return x.reply(http.StatusOK)
	}
	return x.reply(http.StatusCreated)
}

// nameMessages gives an id to each message without one: an id derived from the
// key, or else a new id. It reports whether it derived any.
func nameMessages(ms []seshat.Message, key string) (derived bool) {
	for i := range ms {
		switch {
		case ms[i].ID != "":
		case key == "":
			ms[i].ID = "msg_" + strings.TrimPrefix(seshat.NewSessionID(), "ses_")
		default:
			ms[i].ID = keyedID(key, i)
			derived = true
		}
	}
	return derived
}

var keyedEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// keyedID returns the id of the message at a place in the turn of an append
// with the key. It must be the same in every process and version: repeated
// appends depend on it.
func keyedID(key string, place int) string {
	b := binary.BigEndian.AppendUint32([]byte("seshat idempotency key\x00"), uint32(place))
	sum := sha256.Sum256(append(b, key...))
	return "idem_" + keyedEncoding.EncodeToString(sum[:20])
}

// checkWhole fails if a repeated append found only the beginning of its turn.
func (x *exchange) checkWhole(key string, a *seshat.AppendResult, n int) error {
	if n == seshat.MaxTurnMessages {
		return nil
	}
	page, err := x.t.History(x.r.Context(), x.session, seshat.HistoryQuery{FromSeq: a.Last + 1, Limit: 1})
	next := page.Messages
	if err != nil || len(next) == 0 || next[0].ID != keyedID(key, n) {
		return err
	}
	return conflict("the Idempotency-Key was used for a longer turn", "message_id",
		text("message_id", next[0].ID), num("seq", next[0].Seq))
}

// messages takes the messages of a turn.
func (f *form) messages() []seshat.Message {
	v := f.takeKind("messages", jsonin.Array)
	if v == nil {
		if len(f.list) == 0 {
			f.add("messages", "is required")
		}
		return nil
	}
	items := v.Items()
	if len(items) == 0 || len(items) > seshat.MaxTurnMessages {
		f.limit("messages",
			"are "+strconv.Itoa(len(items))+"; 1 to "+strconv.Itoa(seshat.MaxTurnMessages)+" are allowed", "1",
			strconv.Itoa(seshat.MaxTurnMessages))
		return nil
	}
	ms := make([]seshat.Message, len(items))
	for i, item := range items {
		path := "messages[" + strconv.Itoa(i) + "]"
		if item.Kind() != jsonin.Object {
			f.add(path, "is "+string(item.Kind())+"; an object is required")
			continue
		}
		ms[i] = newForm(f.problems, path+".", item).message()
	}
	return ms
}

func (f *form) message() seshat.Message {
	m := seshat.Message{
		ID: f.name("message_id"), Content: f.text("content", seshat.MaxContentBytes),
		ToolName: f.name("tool_name"), ToolCallID: f.name("tool_call_id"), ToolStatus: f.name("tool_status"),
		ToolInputs: f.bounded("tool_inputs"), ToolOutputs: f.bounded("tool_outputs"),
		Author: f.name("author"), Metadata: f.document("metadata"), Timestamp: f.time("timestamp"),
	}
	if role := f.text("role", seshat.MaxNameBytes); !f.given("role") {
		f.add(f.path+"role", "is required: user, assistant, tool, system or framework")
	} else if err := m.Role.UnmarshalText([]byte(role)); err != nil {
		f.add(f.path+"role", "must be user, assistant, tool, system or framework")
	}
	if kind := f.text("content_type", seshat.MaxNameBytes); kind != "" &&
		m.ContentType.UnmarshalText([]byte(kind)) != nil {
		f.add(f.path+"content_type", "must be text, tool_call, tool_result or event")
	}
	if n := f.uint("tokens", 0, seshat.MaxMessageTokens); n != nil {
		m.Tokens = *n
	}
	if n := f.uint("tool_calls", 0, seshat.MaxMessageTokens); n != nil {
		m.ToolCalls = *n
	}
	if n := f.uint("latency_ms", 0, uint64(seshat.MaxLatency.Milliseconds())); n != nil {
		m.Latency = time.Duration(*n) * time.Millisecond
	}
	f.done()
	return m
}

// bounded takes any JSON value up to the size limit of tool data.
func (f *form) bounded(name string) []byte {
	v := f.json(name)
	if len(v) > seshat.MaxToolJSONBytes {
		f.limit(f.path+name,
			"has "+strconv.Itoa(len(v))+" bytes; at most "+strconv.Itoa(seshat.MaxToolJSONBytes)+" are allowed",
			"", strconv.Itoa(seshat.MaxToolJSONBytes))
		return nil
	}
	return v
}
