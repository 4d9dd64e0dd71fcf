package seshat_test

import (
	"errors"
	"testing"

	"github.com/seshatdb/seshat"
)

func TestRolesAndContentTypesHaveNames(t *testing.T) {
	for role, want := range map[seshat.Role]string{
		seshat.RoleUser: "user", seshat.RoleAssistant: "assistant", seshat.RoleTool: "tool",
		seshat.RoleSystem: "system", seshat.RoleFramework: "framework",
	} {
		text, err := role.MarshalText()
		if err != nil || string(text) != want || role.String() != want {
			t.Errorf("role %d: %q, %v, %v", role, text, role, err)
		}
		var back seshat.Role
		if err := back.UnmarshalText(text); err != nil || back != role {
			t.Errorf("%q is read as %v, %v", text, back, err)
		}
	}
	for typ, want := range map[seshat.ContentType]string{
		seshat.ContentText: "text", seshat.ContentToolCall: "tool_call", seshat.ContentToolResult: "tool_result",
		seshat.ContentEvent: "event",
	} {
		text, err := typ.MarshalText()
		if err != nil || string(text) != want || typ.String() != want {
			t.Errorf("content type %d: %q, %v, %v", typ, text, typ, err)
		}
		var back seshat.ContentType
		if err := back.UnmarshalText(text); err != nil || back != typ {
			t.Errorf("%q is read as %v, %v", text, back, err)
		}
	}
}

func TestUnknownRolesAndContentTypesAreRefused(t *testing.T) {
	for _, text := range []string{"", "User", "user ", "nobody", "\x00"} {
		var r seshat.Role
		if err := r.UnmarshalText([]byte(text)); !errors.Is(err, seshat.ErrInvalid) {
			t.Errorf("role %q: got %v, %v", text, r, err)
		}
		var c seshat.ContentType
		if err := c.UnmarshalText([]byte(text)); !errors.Is(err, seshat.ErrInvalid) {
			t.Errorf("content type %q: got %v, %v", text, c, err)
		}
	}
	if got := seshat.Role(9).String() + seshat.ContentType(0).String(); got != "role(9)content_type(0)" {
		t.Errorf("without a name they are shown as %s", got)
	}
}
