// Command resume shows that the conversation of an ADK runner survives a kill.
//
//	go run ./examples/resume [file]
//
// It starts a child process that talks to the agent. SIGKILL ends the child in
// the middle of the third turn: the user has spoken, but the model has not
// answered. Then the program opens the file again and continues the same
// session. It uses no network: the model is scripted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"google.golang.org/adk/v2/agent"
	"google.golang.org/adk/v2/runner"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/adk/examples/internal/scripted"
)

const (
	app, user, id = "travel", "mia", "trip-1"
	fatal         = "And a hotel." // while answering this the process is killed
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "resume:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 2 && args[0] == "talk" {
		return talk(args[1], "I want to go to Seattle.", "By train, please.", fatal)
	}
	dir, err := os.MkdirTemp("", "resume")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "agents.db")
	if len(args) == 1 {
		path = args[0]
	}
	if err := talkAndDie(path); err != nil {
		return err
	}
	fmt.Println("-- the process was killed; what the file has:")
	if err := show(path); err != nil {
		return err
	}
	fmt.Println("-- another process goes on:")
	return talk(path, "Where were we?")
}

// talkAndDie runs this program as a process that kills itself.
func talkAndDie(path string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "talk", path)
	cmd.Stdout = os.Stdout
	cmd.Stderr = os.Stderr
	var died *exec.ExitError
	err = cmd.Run()
	if err == nil {
		return errors.New("the process was to be killed, but ended by itself")
	}
	if !errors.As(err, &died) {
		return fmt.Errorf("the process was to be killed, but could not run: %w", err)
	}
	return nil
}

// talk sends these words to the agent in the existing session, or in a new one.
func talk(path string, words ...string) (err error) {
	store, err := seshat.Open(path, seshat.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	a, err := scripted.Agent("agent", scripted.Model{Before: func(words string) {
		if words == fatal {
			self, _ := os.FindProcess(os.Getpid()) // never fails
			_ = self.Kill()
			select {}
		}
	}})
	if err != nil {
		return err
	}
	r, err := runner.New(runner.Config{
		AppName: app, Agent: a, SessionService: adk.New(store, adk.Options{}), AutoCreateSession: true,
	})
	if err != nil {
		return err
	}
	for _, w := range words {
		fmt.Println("user: ", w)
		said := genai.NewContentFromText(w, genai.RoleUser)
		for e, err := range r.Run(context.Background(), user, id, said, agent.RunConfig{}) {
			if err != nil {
				return err
			}
			printTexts(e)
		}
	}
	return nil
}

// show prints the session's events and its stored status.
func show(path string) (err error) {
	store, err := seshat.Open(path, seshat.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	ctx := context.Background()
	service := adk.New(store, adk.Options{})
	got, err := service.Get(ctx, &session.GetRequest{AppName: app, UserID: user, SessionID: id})
	if err != nil {
		return err
	}
	for e := range got.Session.Events().All() {
		printTexts(e)
	}
	tenant, err := service.Tenant(ctx, app)
	if err != nil {
		return err
	}
	s, err := tenant.Get(ctx, adk.SessionID(user, id))
	if err != nil {
		return err
	}
	fmt.Printf("%q is %v with %d messages\n", s.Name, s.Status, s.MessageCount)
	return nil
}

func printTexts(e *session.Event) {
	if e.Content != nil {
		for _, p := range e.Content.Parts {
			fmt.Printf("%s:  %s\n", e.Author, p.Text)
		}
	}
}
