package crash

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/seshatdb/seshat"
)

// verifyGroup looks at an image of calls that were made side by side. If it is
// to learn, the image is one with all that was written: what it shows has to
// be what a store in memory shows after the calls that it holds, whole, and
// none that was acknowledged may be missing. Any other image has to show the
// same as the one that was durable before, or as the one with all: a commit
// is there whole, with all calls that it holds, or not at all.
func (c *crowd) verifyGroup(ctx context.Context, path string, q question) (a reply) {
	c.w.at(max(1, q.Acked>>members))
	s, err := seshat.Open(path, c.w.options())
	if err != nil {
		return reply{Bad: fmt.Sprintf("open: %v", err)}
	}
	defer func() { _ = s.Close() }()
	if bad := findings(ctx, s); bad != "" {
		return reply{Bad: bad}
	}
	text, err := c.w.dump(ctx, s, true)
	if err != nil {
		return reply{Bad: fmt.Sprintf("dump: %v", err)}
	}
	sum := sha256.Sum256([]byte(text))
	a.Digest = hex.EncodeToString(sum[:])
	if !q.Learn && a.Digest != q.Before && a.Digest != q.After {
		return reply{Bad: "it shows neither what was durable nor that with the whole commit"}
	}
	if !q.Learn && !q.GoOn {
		return a
	}
	at, err := c.w.reached(ctx, s)
	if err != nil {
		return reply{Bad: fmt.Sprintf("read: %v", err)}
	}
	a.At = at
	if q.Learn {
		a.Bad = c.explain(ctx, withoutFeeds(text), at, atLeast(q.Acked))
	} else {
		a.Bad = c.goOn(ctx, s, path, at)
	}
	return a
}

// explain compares the dump of an image with the reference.
func (c *crowd) explain(ctx context.Context, text string, at, acked progress) string {
	for i := range at {
		if at[i] != acked[i] && at[i] != acked[i]+1 {
			return fmt.Sprintf("%d calls of member %d were acknowledged, it has %d", acked[i], i, at[i])
		}
	}
	if at.calls() == 0 {
		return "" // perhaps even before the namespace
	}
	now := c.w.clock.Load()
	want, err := c.show(ctx, at)
	c.w.clock.Store(now)
	switch {
	case err != nil:
		return fmt.Sprintf("reference: %v", err)
	case want != text:
		return fmt.Sprintf("the state after %v is not right", at)
	}
	return ""
}

// goOn lets the members make two more rounds, reopens the file, and compares
// it.
func (c *crowd) goOn(ctx context.Context, s *seshat.Store, path string, at progress) string {
	t, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "t"})
	want := at
	for i := range want {
		want[i] = at.round() + 2
	}
	if err == nil {
		err = c.w.catchUp(ctx, t, &at, want)
	}
	if err != nil {
		return fmt.Sprintf("afterwards: %v", err)
	}
	if err := s.Close(); err != nil {
		return fmt.Sprintf("close afterwards: %v", err)
	}
	again, err := seshat.Open(path, c.w.options())
	if err != nil {
		return fmt.Sprintf("open again: %v", err)
	}
	defer again.Close()
	if bad := findings(ctx, again); bad != "" {
		return bad
	}
	text, err := c.w.dump(ctx, again, false)
	if err != nil {
		return fmt.Sprintf("dump: %v", err)
	}
	if c.later == nil {
		c.later = &crowd{w: &work{seed: c.w.seed, kind: c.w.kind}}
	}
	right, err := c.later.show(ctx, at)
	if err != nil || right != text {
		return fmt.Sprintf("state after %v, the last two of each after the crash, is not right: %v", at, err)
	}
	return ""
}
