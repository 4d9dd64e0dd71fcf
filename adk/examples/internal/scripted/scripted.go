// Package scripted has a model that needs no network. It builds each answer
// from the request, so the answer shows the content of the session.
package scripted

import (
	"context"
	"fmt"
	"iter"

	"google.golang.org/adk/v2/agent"
	"google.golang.org/adk/v2/agent/llmagent"
	"google.golang.org/adk/v2/model"
	"google.golang.org/genai"
)

// Model answers with the number of the user's messages, and quotes the first.
type Model struct {
	// Before, if set, is called with the user's words before each answer.
	Before func(words string)
}

// Name implements model.LLM.
func (m Model) Name() string { return "scripted" }

// GenerateContent implements model.LLM.
func (m Model) GenerateContent(_ context.Context, req *model.LLMRequest, _ bool) iter.Seq2[*model.LLMResponse, error] {
	return func(yield func(*model.LLMResponse, error) bool) {
		var said []string
		for _, c := range req.Contents {
			if c.Role == genai.RoleUser {
				said = append(said, text(c))
			}
		}
		if len(said) == 0 {
			yield(nil, fmt.Errorf("scripted: nobody said anything"))
			return
		}
		if m.Before != nil {
			m.Before(said[len(said)-1])
		}
		answer := fmt.Sprintf("That is the %d. thing you said. The first was: %s", len(said), said[0])
		yield(&model.LLMResponse{
			Content:      genai.NewContentFromText(answer, genai.RoleModel),
			TurnComplete: true,
		}, nil)
	}
}

func text(c *genai.Content) string {
	s := ""
	for _, p := range c.Parts {
		s += p.Text
	}
	return s
}

// Agent returns an agent that uses the model m and stores its last answer in
// the session's state.
func Agent(name string, m Model) (agent.Agent, error) {
	return llmagent.New(llmagent.Config{
		Name: name, Model: m, Description: "Remembers what was said.", OutputKey: "last_answer",
	})
}
