package main

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/sessionhttp"
)

// A message is sent with exactly the fields that the description of the HTTP
// API has.
func TestMessageBodyIsAsDescribed(t *testing.T) {
	var description struct {
		Components struct {
			Schemas struct {
				NewMessage struct {
					Properties map[string]any
				}
			}
		}
	}
	if err := json.Unmarshal(sessionhttp.OpenAPI, &description); err != nil {
		t.Fatal(err)
	}
	body, err := messageBody(seshat.Message{Role: seshat.RoleUser})
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(body))
	want := slices.Sorted(maps.Keys(description.Components.Schemas.NewMessage.Properties))
	if !slices.Equal(got, want) {
		t.Errorf("a message is sent with\n%q, described are\n%q", got, want)
	}
}
