package main

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
)

// createFlags are what seshat create makes a session of.
type createFlags struct {
	n                seshat.NewSession
	life             lifecycleFlags
	temperature      float64
	maxTokens        int
	memory, metadata string
}

func (a *app) createCmd() *cobra.Command {
	var f createFlags
	c := &cobra.Command{
		Use:   "create",
		Short: "Create a session",
		Example: `  seshat create --db agents.db --user mia --model gpt-4o
  seshat create --url http://127.0.0.1:7374 -n acme --id trip-1 --label team=sales --ttl 48h`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			n, err := f.session(c.Flags())
			if err != nil {
				return err
			}
			return a.converse(c, func(ctx context.Context, b sessions) error {
				s, err := b.Create(ctx, n)
				if err != nil {
					return err
				}
				return a.p.show(s, func() { a.p.line("%s", s.v.ID) })
			})
		},
	}
	f.flags(c.Flags())
	return c
}

func (cf *createFlags) flags(f *pflag.FlagSet) {
	n := &cf.n
	f.StringVar(&n.ID, "id", "", "the session's id (default a new one)")
	f.StringVar(&n.UserID, "user", "", "the user")
	f.StringVar(&n.Name, "name", "", "the session's name (default from its first user message)")
	f.StringVar(&n.Agent.Model, "model", "", "the agent's model")
	f.Float64Var(&cf.temperature, "temperature", 0,
		"the agent's temperature, 0 to 2 (default not set in a file, 0.7 on a server)")
	f.IntVar(&cf.maxTokens, "max-tokens", 0,
		"the agent's limit of tokens, 1 to 100000 (default not set in a file, 4096 on a server)")
	f.StringVar(&n.Agent.SystemPrompt, "system-prompt", "", "the agent's system prompt")
	f.StringArrayVar(&n.Agent.AvailableTools, "tool", nil, "a `tool` that the agent has; may be repeated")
	labelsFlag(f, &n.Labels, "a label, as `key=value`; may be repeated")
	f.StringVar(&cf.memory, "user-memory", "", "what is known of the user: a JSON object")
	f.StringVar(&cf.metadata, "metadata", "", "metadata: a JSON object")
	f.BoolVar(&n.DisableMemory, "no-memory", false, "keep no user memory in this session")
	cf.life.flags(f)
	f.Uint64Var(&n.Quotas.MaxMessages, "max-messages", 0, "quota: messages; 0 = unlimited")
	f.Uint64Var(&n.Quotas.MaxTokensTotal, "max-tokens-total", 0, "quota: tokens of all messages; 0 = unlimited")
	f.Uint64Var(&n.Quotas.MaxToolCalls, "max-tool-calls", 0, "quota: tool calls; 0 = unlimited")
	f.Uint64Var(&n.Quotas.RateLimitMessagesPerMinute, "rate-limit", 0, "quota: messages a minute; 0 = unlimited")
	f.Uint64Var(&n.Quotas.MaxSessionDurationMinutes, "max-minutes", 0,
		"quota: minutes that the session exists; 0 = unlimited")
}

func (cf *createFlags) session(f *pflag.FlagSet) (n seshat.NewSession, err error) {
	n = cf.n
	n.Lifecycle = cf.life.Lifecycle
	if f.Changed("temperature") {
		n.Agent.Temperature = &cf.temperature
	}
	if f.Changed("max-tokens") {
		n.Agent.MaxTokens = &cf.maxTokens
	}
	if n.UserMemory, err = object("user-memory", cf.memory); err != nil {
		return n, err
	}
	n.Metadata, err = object("metadata", cf.metadata)
	return n, err
}

// object reads a flag that holds a JSON object.
func object(flag, text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	var d seshat.Document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, usagef("--%s is no JSON object: %w", flag, err)
	}
	return d.Map(), nil
}

// labelsFlag is the flag of labels, without the empty map that pflag calls its
// default.
func labelsFlag(f *pflag.FlagSet, to *map[string]string, usage string) {
	f.StringToStringVar(to, "label", nil, usage)
	f.Lookup("label").DefValue = ""
}
