package main

import (
	"context"
	_ "embed" // for demo_sample.json
	"encoding/json"
	"fmt"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshatdb/seshat"
)

// sample holds the conversations of the demo.
//
//go:embed demo_sample.json
var sample []byte

const demoNamespace = "demo"

// sampleSession is one conversation of demo_sample.json.
type sampleSession struct {
	ID         string             `json:"session_id"`
	User       string             `json:"user_id"`
	Agent      seshat.AgentConfig `json:"agent_config"`
	Labels     map[string]string  `json:"labels"`
	UserMemory map[string]any     `json:"user_memory"`
	Status     seshat.Status      `json:"status"`
	Messages   []seshat.Message   `json:"messages"`
}

// demoInfo tells how to reach a demo.
type demoInfo struct {
	URL       string `json:"url"`
	Key       string `json:"key"`
	Namespace string `json:"namespace"`
}

func (a *app) demoCmd() *cobra.Command {
	s := &serveFlags{}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Serve sample conversations from memory and print commands to read them",
		Long: `Serve sample conversations from memory with a new API key, and print commands to
read them. Nothing is kept when the demo ends.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.demo(c.Context(), s)
		},
	}
	s.flags(c.Flags())
	return c
}

func (a *app) demo(ctx context.Context, s *serveFlags) error {
	addr, err := s.check()
	if err != nil {
		return err
	}
	log, err := s.logger(a)
	if err != nil {
		return err
	}
	var c pastClock
	store, err := seshat.OpenMemory(seshat.Options{Logger: log, Now: c.now})
	if err != nil {
		return err
	}
	f := &file{store: store, at: location{name: "memory", path: "memory"}}
	info, err := f.fillDemo(ctx, &c)
	if err != nil {
		return finish(err, f)
	}
	api, err := s.listenAPI(f, addr, log)
	if err != nil {
		return finish(err, f)
	}
	info.URL = api.url
	if err := a.p.show(info, func() { a.introduce(info) }); err != nil {
		log.Warn("cannot print the address", "error", err)
	}
	return finish(serveAll(ctx, s.shutdownTimeout, log, api), f)
}

// pastClock runs behind, so that the sample conversations happened within the
// last hour, in order.
type pastClock struct{ ago atomic.Int64 }

func (c *pastClock) now() time.Time { return time.Now().Add(-time.Duration(c.ago.Load())) }

// fillDemo stores the sample conversations and creates an API key.
func (f *file) fillDemo(ctx context.Context, c *pastClock) (demoInfo, error) {
	info := demoInfo{Namespace: demoNamespace}
	c.ago.Store(int64(time.Hour))
	t, err := f.store.CreateTenant(ctx, seshat.Namespace{Name: demoNamespace})
	if err != nil {
		return info, err
	}
	var all []sampleSession
	if err := json.Unmarshal(sample, &all); err != nil {
		return info, err
	}
	for i, s := range all {
		c.ago.Store(int64(time.Hour) * int64(len(all)-i) / int64(len(all)+1))
		if err := s.put(ctx, t); err != nil {
			return info, fmt.Errorf("sample %q: %w", s.ID, err)
		}
	}
	c.ago.Store(0)
	_, info.Key, err = f.store.CreateAPIKey(ctx, seshat.APIKey{Name: "demo"})
	return info, err
}

func (s *sampleSession) put(ctx context.Context, t *seshat.Tenant) error {
	_, err := t.Create(ctx, seshat.NewSession{
		ID: s.ID, UserID: s.User, Agent: s.Agent, Labels: s.Labels, UserMemory: s.UserMemory,
	})
	if err != nil {
		return err
	}
	if _, err := t.Append(ctx, s.ID, s.Messages...); err != nil {
		return err
	}
	if s.Status == 0 {
		return nil
	}
	_, err = t.Transition(ctx, s.ID, s.Status, seshat.TransitionOptions{Reason: "sample", Actor: "demo"})
	return err
}

// introduce prints commands to paste into a shell.
func (a *app) introduce(d demoInfo) {
	const auth = `-H "Authorization: Bearer $SESHAT_KEY" -H "X-Namespace: demo"`
	fmt.Fprintf(a.out, `# Seshat serves sample conversations on %[1]s until you press Ctrl-C.
# Paste this into another terminal:

export SESHAT_URL=%[1]s
export SESHAT_KEY=%[2]s
export SESHAT_NAMESPACE=%[3]s

# the newest sessions
curl -sS -X POST "$SESHAT_URL/v1/agents/sessions/list?limit=3" \
  %[4]s

# one session and its messages
curl -sS "$SESHAT_URL/v1/agents/sessions/trip-to-seattle" \
  %[4]s
curl -sS "$SESHAT_URL/v1/agents/sessions/trip-to-seattle/history" \
  %[4]s

# append a message
curl -sS -X POST "$SESHAT_URL/v1/agents/sessions/trip-to-seattle/messages" \
  %[4]s \
  -H "Content-Type: application/json" \
  -d '{"messages":[{"role":"user","content":"An aisle seat, please."}]}'

# the same with this program
%[5]s list
%[5]s history trip-to-seattle
`, d.URL, d.Key, d.Namespace, auth, programName())
}

// programName returns the command that runs this program from a shell. In a
// checkout, without an installed program, that is go run.
func programName() string {
	if _, err := exec.LookPath("seshat"); err != nil {
		return "go run ./cmd/seshat"
	}
	return "seshat"
}
