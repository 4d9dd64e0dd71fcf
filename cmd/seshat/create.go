package main

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshatdb/seshat"
)

// createFlags describe the session to create.
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
	f.StringVar(&n.ID, "id", "", "id of the session (default a new id)")
	f.StringVar(&n.UserID, "user", "", "the user")
	f.StringVar(&n.Name, "name", "", "name of the session (default from its first user message)")
	f.StringVar(&n.Agent.Model, "model", "", "model of the agent")
	f.Float64Var(&cf.temperature, "temperature", 0,
		"temperature of the agent, 0 to 2 (default none in a store, 0.7 on a server)")
	f.IntVar(&cf.maxTokens, "max-tokens", 0,
		"maximum tokens of an answer, 1 to 100000 (default none in a store, 4096 on a server)")
	f.StringVar(&n.Agent.SystemPrompt, "system-prompt", "", "system prompt of the agent")
	f.StringArrayVar(&n.Agent.AvailableTools, "tool", nil, "`tool` available to the agent; may be repeated")
	labelsFlag(f, &n.Labels, "label, as `key=value`; may be repeated")
	f.StringVar(&cf.memory, "user-memory", "", "what is known about the user, as a JSON object")
	f.StringVar(&cf.metadata, "metadata", "", "metadata, as a JSON object")
	f.BoolVar(&n.DisableMemory, "no-memory", false, "no user memory in this session")
	cf.life.flags(f)
	f.Uint64Var(&n.Quotas.MaxMessages, "max-messages", 0, "quota: messages; 0 = unlimited")
	f.Uint64Var(&n.Quotas.MaxTokensTotal, "max-tokens-total", 0, "quota: tokens of all messages (0 = unlimited)")
	f.Uint64Var(&n.Quotas.MaxToolCalls, "max-tool-calls", 0, "quota: tool calls (0 = unlimited)")
	f.Uint64Var(&n.Quotas.RateLimitMessagesPerMinute, "rate-limit", 0, "quota: messages a minute (0 = unlimited)")
	f.Uint64Var(&n.Quotas.MaxSessionDurationMinutes, "max-minutes", 0,
		"quota: lifetime of the session in minutes (0 = unlimited)")
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

// object parses the value of a flag that takes a JSON object.
func object(flag, text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	var d seshat.Document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, usagef("--%s: not a JSON object: %w", flag, err)
	}
	return d.Map(), nil
}

// labelsFlag adds a flag of labels whose help shows no empty default.
func labelsFlag(f *pflag.FlagSet, to *map[string]string, usage string) {
	f.StringToStringVar(to, "label", nil, usage)
	f.Lookup("label").DefValue = ""
}
