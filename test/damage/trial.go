package damage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/seshatdb/seshat"
)

// The modes of a trial.
const (
	modeVerified = iota // Open checks the structure
	modeTrusting        // Open does not
	modeLive            // the damage comes when the file is open
	modeCount
)

var modeNames = [modeCount]string{"verified", "unverified", "live"}

// trial damages one file. The seed determines everything.
type trial struct {
	seed uint64
	kind kind
	mode int
}

func trialOf(seed uint64) trial {
	return trial{seed, kinds[seed%uint64(len(kinds))], int(seed / uint64(len(kinds)) % modeCount)}
}

// outcome is the result of a trial.
type outcome struct {
	refused bool // by Open
	counts  [wrong + 1]int
	bad     string // the violation, or ""
	died    bool   // the process crashed or hung
	example string // one short answer
	found   bool   // Verify finds the damage; known only after a short or wrong answer
}

// run makes the trial on a file at path.
func (t trial) run(ctx context.Context, f *fixture, path string) (o outcome) {
	r := rand.New(rand.NewPCG(t.seed, 1))
	spoiled := t.kind.spoil(r, append([]byte(nil), f.image...), f)
	first := spoiled
	if t.mode == modeLive {
		first = f.image
	}
	if err := os.WriteFile(path, first, 0o600); err != nil {
		o.bad = err.Error()
		return o
	}
	defer func() { _ = os.Remove(path) }()
	s, err := seshat.Open(path, options(t.mode != modeTrusting))
	if err != nil {
		o.refused = true
		o.untyped("open", err)
		return o
	}
	defer func() { _ = s.Close() }()
	if t.mode == modeLive {
		if err := spoilOpen(path, f.image, spoiled); err != nil {
			o.bad = err.Error()
			return o
		}
	}
	o.read(ctx, f, s, nil, t.kind.lost)
	touched := o.write(ctx, s, r)
	_ = s.Close()
	o.again(ctx, f, path, t, touched)
	return o
}

// spoilOpen overwrites the file, which is open, with the spoiled image.
func spoilOpen(path string, image, spoiled []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for at := 0; at < min(len(image), len(spoiled)); at += 512 {
		end := min(at+512, len(spoiled), len(image))
		if string(image[at:end]) == string(spoiled[at:end]) {
			continue
		}
		if _, err := f.WriteAt(spoiled[at:end], int64(at)); err != nil {
			return err
		}
	}
	if len(image) != len(spoiled) {
		return f.Truncate(int64(len(spoiled)))
	}
	return nil
}

func (o *outcome) untyped(what string, err error) {
	if !isDamage(err) {
		o.violation("%s: an error of another kind: %v", what, err)
	}
}

func (o *outcome) violation(format string, args ...any) {
	if o.bad == "" {
		o.bad = fmt.Sprintf(format, args...)
	}
}

// read asks all questions. After writes, it asks only about sessions that they
// did not touch.
func (o *outcome) read(ctx context.Context, f *fixture, s *seshat.Store, touched map[string]bool, lost bool) {
	for _, q := range questions {
		if touched != nil && (q.of < 0 || touched[fmt.Sprint(q.space, q.of)]) {
			continue
		}
		got, err := q.ask(ctx, s)
		v, why := judge(q, got, err, f.want[q.name])
		o.counts[v]++
		switch v {
		case wrong:
			if !lost {
				o.violation("%s", why)
			}
		case short:
			o.example = why
		}
	}
}

// write makes some calls that change sessions, and returns those sessions.
func (o *outcome) write(ctx context.Context, s *seshat.Store, r *rand.Rand) map[string]bool {
	touched := map[string]bool{}
	for n := range 8 {
		space := spaces[n%len(spaces)]
		of := r.IntN(sessions)
		touched[fmt.Sprint(space, of)] = true
		t, err := s.Tenant(ctx, seshat.Namespace{Name: space})
		if err == nil {
			err = change(ctx, t, n/2, idOf(of))
		}
		if err != nil && !errors.Is(err, seshat.ErrUnknown) && !errors.Is(err, seshat.ErrNotFound) {
			o.untyped(fmt.Sprint("write ", n), err)
		}
	}
	return touched
}

func change(ctx context.Context, t *seshat.Tenant, n int, id string) error {
	switch n {
	case 0:
		_, err := t.Create(ctx, seshat.NewSession{UserID: "new", State: map[string]any{"k": "v"}})
		return err
	case 1:
		_, err := t.Append(ctx, id, seshat.Message{Role: seshat.RoleUser, Content: strings.Repeat("later ", 200)})
		return err
	case 2:
		_, err := t.Update(ctx, id, func(s *seshat.Session) error { s.Name = "later"; return nil },
			seshat.UpdateOptions{})
		return err
	}
	_, err := t.Delete(ctx, id)
	return err
}

// again calls Verify if an answer was short or old. It then reopens the file
// after the writes and checks the sessions that they did not touch.
func (o *outcome) again(ctx context.Context, f *fixture, path string, t trial, touched map[string]bool) {
	if o.counts[short]+o.counts[wrong] > 0 {
		_, err := seshat.Verify(ctx, path)
		o.found = isDamage(err)
		if !o.found && t.mode == modeVerified && !t.kind.lost {
			o.violation("short, and Verify finds nothing: %s", o.example)
		}
	}
	s, err := seshat.Open(path, options(t.mode != modeTrusting))
	if err != nil {
		o.untyped("open after the writes", err)
		return
	}
	defer func() { _ = s.Close() }()
	o.read(ctx, f, s, touched, t.kind.lost)
}
