package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/seshatdb/seshat"
)

// members is the number of goroutines that call concurrently in work of kind
// group. Each has its own session. All begin a round together, so that the
// store puts several waiting calls into one commit.
const members = 8

const everyone = 1<<members - 1

// progress is the number of rounds that each member has made.
type progress [members]int

// atLeast decodes an acknowledgement: all rounds before the last one, and of
// the last one the members in the mask.
func atLeast(acked int) (p progress) {
	for i := range p {
		if p[i] = acked >> members; acked>>i&1 == 0 {
			p[i]--
		}
	}
	return p
}

// acknowledge adds more to an acknowledgement.
func acknowledge(acked, more int) int {
	switch round := more >> members; {
	case round > acked>>members:
		return more
	case round < acked>>members:
		return acked
	}
	return acked | more&everyone
}

func (p progress) calls() (n int) {
	for _, rounds := range p {
		n += rounds
	}
	return n
}

func memberID(i int) string { return fmt.Sprint("g", i) }

// call makes member i's call of a round: it stores the round's number in the
// state of the member's session. Calls of different members commute.
func (w *work) call(ctx context.Context, t *seshat.Tenant, i, round int) error {
	r := rand.New(rand.NewPCG(w.seed, uint64(round*members+i)))
	id := memberID(i)
	user := fmt.Sprint("u", i%3)
	state := map[string]any{"k": round, "note": strings.Repeat("n", r.IntN(200))}
	own := map[string]any{fmt.Sprint("of ", i): round}
	if round == 1 {
		_, err := t.Create(ctx, seshat.NewSession{ID: id, UserID: user, State: state, UserState: own})
		return err
	}
	if r.IntN(4) == 0 {
		return t.MergeState(ctx, seshat.SessionScope(id), state)
	}
	size := 10 + r.IntN(900)
	if r.IntN(12) == 0 {
		size = 10_000 + r.IntN(20_000)
	}
	text := strings.Repeat(string(rune('a'+round%26)), size)
	_, err := t.AppendTurn(ctx, id, seshat.Turn{
		Messages: []seshat.Message{{ID: fmt.Sprint("m", round), Role: seshat.RoleUser, Content: text, Tokens: 3}},
		State:    state, UserState: own, NamespaceState: own,
	})
	return err
}

// reached returns the progress of the members. If the store has no namespace,
// they are at the beginning.
func (w *work) reached(ctx context.Context, s *seshat.Store) (p progress, err error) {
	t, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	for i := 0; i < members && err == nil; i++ {
		var state map[string]any
		state, err = t.State(ctx, seshat.SessionScope(memberID(i)))
		if isAnswer(err) {
			err = nil
			continue
		}
		if k, ok := state["k"]; ok {
			_, err = fmt.Sscan(fmt.Sprint(k), &p[i])
		}
	}
	return p, err
}

// crowd is a store in memory whose members make the same progress as those of
// the images, one image after the other.
type crowd struct {
	w     *work
	s     *seshat.Store
	at    progress
	later *crowd // as far as images that went on
}

// show returns what the store shows at the progress want.
func (c *crowd) show(ctx context.Context, want progress) (string, error) {
	for i := range want {
		if want[i] < c.at[i] || c.s == nil {
			s, err := seshat.OpenMemory(c.w.options())
			if err != nil {
				return "", err
			}
			c.s = s
			c.at = progress{}
		}
	}
	c.w.at(max(1, c.at.round()))
	t, err := c.s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	if err == nil {
		err = c.w.catchUp(ctx, t, &c.at, want)
	}
	if err != nil {
		return "", err
	}
	return c.w.dump(ctx, c.s, false)
}

// catchUp makes the members' calls, round by round, up to want. It leaves the
// clock at the last round, because the time of a store never runs backwards.
func (w *work) catchUp(ctx context.Context, t *seshat.Tenant, at *progress, want progress) error {
	for *at != want {
		i := at.behind(want)
		at[i]++
		w.at(at[i])
		if err := w.call(ctx, t, i, at[i]); err != nil {
			return err
		}
	}
	return nil
}

// behind returns the first of the members that are furthest behind.
func (p *progress) behind(want progress) int {
	first := -1
	for i := range p {
		if p[i] < want[i] && (first < 0 || p[i] < p[first]) {
			first = i
		}
	}
	return first
}

func (p *progress) round() int { return slices.Max(p[:]) }
