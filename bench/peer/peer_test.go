package peer

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/seshatdb/seshat/bench/load"
)

// Every peer completes the workload and finds everything that it stored.
func TestPeersDoTheWorkload(t *testing.T) {
	for _, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			p, err := k.Open(t.TempDir())
			if errors.Is(err, ErrNone) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			}()
			work(t, p)
		})
	}
}

func work(t *testing.T, p Peer) {
	const n = 6
	r := rand.New(rand.NewPCG(1, 2))
	var all []Filling
	for i := range n {
		all = append(all, Filling{load.NewSession(i, n), load.History(r)[:5]})
	}
	ctx := t.Context()
	if err := p.Fill(ctx, all); err != nil {
		t.Fatal(err)
	}
	id := load.ID(n)
	for what, err := range map[string]error{
		"create": p.Create(ctx, load.NewSession(n, n)),
		"touch":  p.Touch(ctx, load.ID(0)),
		"append": p.Append(ctx, load.ID(0), load.NewMessage(r)),
	} {
		if err != nil && !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, id := range []string{id, load.ID(0)} {
		if err := p.Get(ctx, id); err != nil && !errors.Is(err, ErrNone) {
			t.Errorf("get %s: %v", id, err)
		}
	}
	if got, err := p.ListUser(ctx, load.User(0, n), 50); !errors.Is(err, ErrNone) && (err != nil || got != n+1) {
		t.Errorf("%d of the user, %v; want %d", got, err, n+1)
	}
	if got, err := p.ListActive(ctx, 50); !errors.Is(err, ErrNone) && (err != nil || got != n+1) {
		t.Errorf("%d by activity, %v; want %d", got, err, n+1)
	}
}
