package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
)

// appended is the outcome of an append.
type appended struct {
	SessionID    string `json:"session_id"`
	FirstSeq     uint64 `json:"first_seq"`
	LastSeq      uint64 `json:"last_seq"`
	MessageCount uint64 `json:"message_count"`
	Repeated     bool   `json:"repeated"`
}

// appendFlags describe one message, or name the input that holds a turn.
type appendFlags struct {
	m                     seshat.Message
	role, kind            string
	inputs, outputs, meta string
	latency               time.Duration
	input, key            string
}

func (a *app) appendCmd() *cobra.Command {
	var f appendFlags
	c := &cobra.Command{
		Use:   "append ID [CONTENT]",
		Short: "Append a message, or a turn of several messages, to a session",
		Long: `Append a message, or a turn of several messages, to a session.

Without --input, CONTENT and the flags describe one message. With --input FILE
(- = standard input), seshat reads a turn: a JSON array of messages, or JSON
objects one after another. history --json prints an object with such an array;
to append it elsewhere, extract it with jq -c '.messages[]'. A turn is appended
whole or not at all.

If the session already has a message with the same id, the append is not
repeated.`,
		Example: `  seshat append --db agents.db trip-1 "Book me a flight to Seattle."
  seshat append --db agents.db trip-1 --role tool --tool-name search --tool-outputs '{"flights":3}'
  jq -c '.messages[]' turn.json | seshat append --db agents.db trip-1 --input -`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			turn, err := f.turn(c.Flags(), args[1:], a.in)
			if err != nil {
				return err
			}
			return a.converse(c, func(ctx context.Context, b sessions) error {
				done, err := b.Append(ctx, args[0], turn, f.key)
				if err != nil {
					return err
				}
				return a.p.show(done, func() { a.p.line("%s", done.sentence()) })
			})
		},
	}
	f.flags(c.Flags())
	_ = c.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(
		[]string{"user", "assistant", "tool", "system", "framework"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (d appended) sentence() string {
	text := d.SessionID + ": appended"
	if d.Repeated {
		text = d.SessionID + ": known already"
	}
	if d.FirstSeq == d.LastSeq {
		return text + ", message " + count(d.FirstSeq)
	}
	return text + ", messages " + count(d.FirstSeq) + " to " + count(d.LastSeq)
}

// messageFlags describe the message given on the command line. --input excludes
// them.
var messageFlags = []string{
	"role", "message-id", "content-type", "author", "tool-name", "tool-call-id", "tool-inputs", "tool-outputs",
	"tool-status", "tokens", "latency", "metadata",
}

// speakingFlags make a message worth appending although CONTENT is empty.
var speakingFlags = []string{"tool-name", "tool-call-id", "tool-inputs", "tool-outputs", "tool-status", "metadata"}

func (af *appendFlags) flags(f *pflag.FlagSet) {
	m := &af.m
	f.StringVar(&af.role, "role", "user", "role: user, assistant, tool, system or framework")
	f.StringVar(&m.ID, "message-id", "", "id of the message; makes the append repeatable (default a new id)")
	f.StringVar(&af.kind, "content-type", "", "content type: text, tool_call, tool_result or event (default text)")
	f.StringVar(&m.Author, "author", "", "the author")
	f.StringVar(&m.ToolName, "tool-name", "", "the tool")
	f.StringVar(&m.ToolCallID, "tool-call-id", "", "id that a tool call and its result share")
	f.StringVar(&af.inputs, "tool-inputs", "", "inputs of the tool, as JSON")
	f.StringVar(&af.outputs, "tool-outputs", "", "outputs of the tool, as JSON")
	f.StringVar(&m.ToolStatus, "tool-status", "", "the tool's status")
	f.Uint64Var(&m.Tokens, "tokens", 0, "number of tokens of the message")
	f.DurationVar(&af.latency, "latency", 0, "time that the answer took, such as 1.5s")
	f.StringVar(&af.meta, "metadata", "", "metadata, as a JSON object")
	f.StringVar(&af.input, "input", "", "`file` to read messages from; - = standard input")
	f.StringVar(&af.key, "idempotency-key", "", "key that makes a repeated request append once (server only)")
}

func (af *appendFlags) turn(f *pflag.FlagSet, content []string, in io.Reader) ([]seshat.Message, error) {
	if af.input == "" {
		if len(content) == 0 && !anyChanged(f, speakingFlags...) {
			return nil, usagef("nothing to append: give CONTENT, --input FILE, --tool-inputs or --tool-outputs")
		}
		m, err := af.message(content)
		return []seshat.Message{m}, err
	}
	if len(content) > 0 || anyChanged(f, messageFlags...) {
		return nil, usagef("--input excludes CONTENT and the flags of a message")
	}
	if af.input != "-" {
		file, err := os.Open(af.input)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	turn, err := readTurn(in)
	if err == nil && len(turn) == 0 {
		err = usagef("--input: no message")
	}
	return turn, err
}

func (af *appendFlags) message(content []string) (m seshat.Message, err error) {
	m = af.m
	m.Content = strings.Join(content, " ")
	m.Latency = af.latency
	if err := m.Role.UnmarshalText([]byte(af.role)); err != nil {
		return m, usagef("--role: %q; give user, assistant, tool, system or framework", af.role)
	}
	if af.kind != "" {
		if err := m.ContentType.UnmarshalText([]byte(af.kind)); err != nil {
			return m, usagef("--content-type: %q; give text, tool_call, tool_result or event", af.kind)
		}
	}
	if m.ToolInputs, err = rawJSON("tool-inputs", af.inputs); err != nil {
		return m, err
	}
	if m.ToolOutputs, err = rawJSON("tool-outputs", af.outputs); err != nil {
		return m, err
	}
	meta, err := object("metadata", af.meta)
	m.Metadata = seshat.NewDocument(meta)
	return m, err
}

func rawJSON(flag, text string) (json.RawMessage, error) {
	if text == "" {
		return nil, nil
	}
	if !json.Valid([]byte(text)) {
		return nil, usagef("--%s: not valid JSON", flag)
	}
	return json.RawMessage(text), nil
}

// readTurn reads messages from a JSON array or from JSON objects in a row.
func readTurn(r io.Reader) ([]seshat.Message, error) {
	data, err := io.ReadAll(io.LimitReader(r, 4*seshat.MaxTurnBytes))
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	var turn []seshat.Message
	if bytes.HasPrefix(data, []byte("[")) {
		if err := json.Unmarshal(data, &turn); err != nil {
			return nil, usagef("--input: %w", err)
		}
		return turn, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		var m seshat.Message
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return turn, nil
		} else if err != nil {
			return nil, usagef("--input: message %d: %w", len(turn)+1, err)
		}
		turn = append(turn, m)
	}
}
