package seshat_test

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/seshattest"
)

// named opens a store that names its sessions with fn.
func named(t *testing.T, fn func(string) string) *seshat.Tenant {
	t.Helper()
	tn := seshattest.Open(t, seshat.Options{Title: fn}).MustTenant(t, "t")
	seshattest.MustCreate(t, tn, seshat.NewSession{ID: "s"})
	return tn
}

func TestAPanicOfTheNamePropagatesAndNothingIsWritten(t *testing.T) {
	panics := true
	tn := named(t, func(string) string {
		if panics {
			panic("mine")
		}
		return "later"
	})
	ctx := context.Background()
	func() {
		defer func() {
			if p := recover(); p != "mine" {
				t.Fatalf("recovered %v", p)
			}
		}()
		_, _ = tn.Append(ctx, "s", seshat.Message{ID: "m", Role: seshat.RoleUser})
		t.Fatal("the append returned")
	}()
	s, err := tn.Get(ctx, "s")
	if err != nil || s.MessageCount != 0 || s.LastSeq != 0 {
		t.Fatalf("after a panic: %+v, %v", s, err)
	}
	panics = false
	if s, err = tn.Append(ctx, "s", seshat.Message{ID: "m", Role: seshat.RoleUser}); err != nil || s.Name != "later" ||
		s.LastSeq != 1 {
		t.Fatalf("after a panic an append gives %+v, %v", s, err)
	}
}

func TestTheNameRunsWithNothingLocked(t *testing.T) {
	var tn *seshat.Tenant
	ctx := context.Background()
	tn = named(t, func(content string) string {
		if content == "outer" {
			if _, err := tn.Append(ctx, "s", seshat.Message{Role: seshat.RoleUser, Content: "inner"}); err != nil {
				t.Error(err)
			}
		}
		return content
	})
	s, err := tn.Append(ctx, "s", seshat.Message{Role: seshat.RoleUser, Content: "outer"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "inner" || s.LastSeq != 2 {
		t.Fatalf("got %q at %d", s.Name, s.LastSeq)
	}
}

func TestANameIsMadeLegal(t *testing.T) {
	for given, want := range map[string]string{
		"a\nb\tc\x7fd\u0085e":          "a b c d e",
		"a\xffb":                       "ab",
		"  x  ":                        "x",
		strings.Repeat("x", 600):       strings.Repeat("x", seshat.MaxSessionNameBytes),
		strings.Repeat("日", 200):       strings.Repeat("日", seshat.MaxSessionNameBytes/3),
		"\xff":                         "",
		"\u200b":                       "\u200b",
		strings.Repeat(" ", 600) + "x": "",
	} {
		tn := named(t, func(string) string { return given })
		s, err := tn.Append(context.Background(), "s", seshat.Message{Role: seshat.RoleUser, Content: "?"})
		if err != nil {
			t.Fatal(err)
		}
		if s.Name != want || !utf8.ValidString(s.Name) {
			t.Errorf("%q became %q, want %q", given, s.Name, want)
		}
	}
}
