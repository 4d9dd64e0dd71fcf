// Package damage damages the files of stores and checks the answers that
// callers get. An answer must be correct or report damage. A wrong answer, a
// list that is short without an error, a crash and a hang are violations. Every
// trial runs in a child process, because it may crash it.
package damage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seshatdb/seshat"
)

const pageSize = 4096

// now is the time of all writes and reads, so nothing expires.
var now = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

func options(verified bool) seshat.Options {
	o := seshat.Options{Now: func() time.Time { return now }, SweepEvery: seshat.Never}
	if !verified {
		o.File.VerifyLimit = -1
	}
	return o
}

// fixture is a file and its answers while it is intact.
type fixture struct {
	image []byte
	older [][]byte // the file as it was at earlier moments
	want  map[string]string
}

var spaces = []string{"a", "b"}

const (
	sessions = 24 // of each namespace
	turns    = 3  // of each session
	late     = 4  // further turns of a session, each a commit before the next
)

func idOf(n int) string   { return fmt.Sprintf("s%02d", n) }
func userOf(n int) string { return fmt.Sprintf("u%d", n%5) }

// newFixture creates the file below dir.
func newFixture(ctx context.Context, dir string) (*fixture, error) {
	f := &fixture{want: map[string]string{}}
	path := filepath.Join(dir, "fixture.db")
	s, err := seshat.Open(path, options(true))
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	for turn := range turns + 1 {
		for _, name := range spaces {
			if err := fill(ctx, s, name, turn, sessions); err != nil {
				return nil, err
			}
		}
		if err := f.keep(path); err != nil {
			return nil, err
		}
	}
	for turn := turns + 1; turn < turns+1+late; turn++ {
		if err := fill(ctx, s, spaces[turn%len(spaces)], turn, 1); err != nil {
			return nil, err
		}
		if err := f.keep(path); err != nil {
			return nil, err
		}
	}
	for _, q := range questions {
		if f.want[q.name], err = q.ask(ctx, s); err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	f.image, err = os.ReadFile(path)
	f.image = trim(f.image)
	return f, err
}

// keep adds the current content of the file to the older ones.
func (f *fixture) keep(path string) error {
	image, err := os.ReadFile(path)
	f.older = append(f.older, trim(image))
	return err
}

// trim removes the space that the engine has allocated in advance, so that
// damage hits pages in use.
func trim(image []byte) []byte {
	n := len(image)
	for n > pageSize && strings.Trim(string(image[n-pageSize:n]), "\x00") == "" {
		n -= pageSize
	}
	return image[:n]
}

// fill creates the namespace's sessions, or appends one turn to the first count
// of them.
func fill(ctx context.Context, s *seshat.Store, name string, turn, count int) error {
	t, err := s.EnsureTenant(ctx, seshat.Namespace{Name: name})
	if err != nil {
		return err
	}
	for n := range count {
		id := idOf(n)
		if turn == 0 {
			_, err = t.Create(ctx, seshat.NewSession{
				ID: id, UserID: userOf(n), Name: strings.Repeat("n", 1+n*3), Labels: map[string]string{"of": userOf(n)},
				UserMemory: map[string]any{"in": name, "note": strings.Repeat("x", n*20)},
				State:      map[string]any{"k": n, "l": name}, UserState: map[string]any{id: n},
			})
		} else {
			_, err = t.AppendTurn(ctx, id, seshat.Turn{
				Messages: []seshat.Message{
					{
						ID: fmt.Sprintf("q%d", turn), Role: seshat.RoleUser,
						Content: fmt.Sprintf("%s %s %d %s", name, id, turn, strings.Repeat("w", n*10)),
					},
					{
						ID: fmt.Sprintf("a%d", turn), Role: seshat.RoleAssistant,
						Content: strings.Repeat(string(rune('a'+n%26)), (n*turn*37)%3000),
					},
				},
				State: map[string]any{"turn": turn},
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
