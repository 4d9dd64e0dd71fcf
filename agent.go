package seshat

import "slices"

// Bounds of an agent's configuration.
const (
	MaxTemperature       = 2.0      // largest Temperature
	MaxTokens            = 100_000  // largest MaxTokens
	MaxSystemPromptBytes = 64 << 10 // bytes of SystemPrompt
	MaxTools             = 256      // names in AvailableTools
)

// AgentConfig is the configuration with which a session's agent was started. It
// is immutable once the session exists. A nil Temperature or MaxTokens is not
// set. A Temperature of 0 is a set value.
type AgentConfig struct {
	Model          string   `json:"model"`           // at most MaxNameBytes bytes
	Temperature    *float64 `json:"temperature"`     // 0 to MaxTemperature; nil = not set
	MaxTokens      *int     `json:"max_tokens"`      // 1 to MaxTokens; nil = not set
	SystemPrompt   string   `json:"system_prompt"`   // at most MaxSystemPromptBytes bytes
	AvailableTools []string `json:"available_tools"` // at most MaxTools names
}

// Ptr returns a pointer to v, for the optional fields of a literal.
func Ptr[T any](v T) *T { return &v }

func (a *AgentConfig) check() *fieldError {
	if e := checkOptional("model", a.Model); e != nil {
		return e
	}
	if t := a.Temperature; t != nil && !(*t >= 0 && *t <= MaxTemperature) {
		return refuse("temperature", "is %v; 0 to %v are allowed", *t, MaxTemperature)
	}
	if n := a.MaxTokens; n != nil && (*n < 1 || *n > MaxTokens) {
		return refuse("max_tokens", "is %d; 1 to %d are allowed", *n, MaxTokens)
	}
	return a.checkTexts()
}

func (a *AgentConfig) checkTexts() *fieldError {
	if len(a.SystemPrompt) > MaxSystemPromptBytes {
		return refuse("system_prompt", "has %d bytes; at most %d are allowed", len(a.SystemPrompt),
			MaxSystemPromptBytes)
	}
	if e := checkUTF8("system_prompt", a.SystemPrompt); e != nil {
		return e
	}
	if len(a.AvailableTools) > MaxTools {
		return refuse("available_tools", "has %d names; at most %d are allowed", len(a.AvailableTools), MaxTools)
	}
	for _, name := range a.AvailableTools {
		if e := checkName("available_tools", name); e != nil {
			return e
		}
	}
	return nil
}

func (a AgentConfig) equal(b AgentConfig) bool {
	return a.Model == b.Model && a.SystemPrompt == b.SystemPrompt &&
		equalPtr(a.Temperature, b.Temperature) && equalPtr(a.MaxTokens, b.MaxTokens) &&
		slices.Equal(a.AvailableTools, b.AvailableTools)
}

func (a AgentConfig) clone() AgentConfig {
	if a.Temperature != nil {
		a.Temperature = Ptr(*a.Temperature)
	}
	if a.MaxTokens != nil {
		a.MaxTokens = Ptr(*a.MaxTokens)
	}
	a.AvailableTools = slices.Clone(a.AvailableTools)
	return a
}

func equalPtr[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
