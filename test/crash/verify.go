package crash

import (
	"context"
	"fmt"

	"github.com/seshatdb/seshat"
)

// verify opens an image of which the first acked steps were acknowledged, and
// returns what is wrong with it, or "". One more step may be done, whole, or
// in part if it is made of several commits. If asked to, the store then goes
// on with that step and two more, is opened again, and still has to be right.
func verify(ctx context.Context, path string, w *work, ref *reference, q question) string {
	w.at(q.Acked + 1)
	s, err := seshat.Open(path, w.options())
	if err != nil {
		return fmt.Sprintf("open: %v", err)
	}
	defer func() { _ = s.Close() }()
	done, bad := place(ctx, s, w, ref, q.Acked)
	if bad != "" || !q.GoOn {
		return bad
	}
	for n := done + 1; n <= done+3; n++ {
		if err := w.do(ctx, s, n); err != nil {
			return fmt.Sprintf("step %d afterwards: %v", n, err)
		}
	}
	if err := s.Close(); err != nil {
		return fmt.Sprintf("close afterwards: %v", err)
	}
	if s, err = seshat.Open(path, w.options()); err != nil {
		return fmt.Sprintf("open again: %v", err)
	}
	return compare(ctx, s, w, ref, done+3)
}

// place returns how many steps the store has made. It completes a step that was
// made in part.
func place(ctx context.Context, s *seshat.Store, w *work, ref *reference, acked int) (done int, bad string) {
	if bad := findings(ctx, s); bad != "" {
		return 0, bad
	}
	if _, err := s.EnsureTenant(ctx, seshat.Namespace{Name: "t"}); err != nil {
		return 0, fmt.Sprintf("ensure: %v", err)
	}
	want, err := ref.of(ctx, acked+1)
	if err != nil {
		return 0, fmt.Sprintf("reference: %v", err)
	}
	if w.quiet {
		want.before = want.beforeQuiet
		want.after = want.afterQuiet
	}
	text, err := w.dump(ctx, s, !w.quiet)
	if err != nil {
		return 0, fmt.Sprintf("dump: %v", err)
	}
	switch hash(text) {
	case want.before:
		return acked, ""
	case want.after:
		return acked + 1, ""
	}
	step := w.step(s, acked+1)
	if !step.resumable {
		return 0, fmt.Sprintf("state is neither that after step %d nor after %d (%s)", acked, acked+1, step.name)
	}
	if err := w.do(ctx, s, acked+1); err != nil {
		return 0, fmt.Sprintf("%s again: %v", step.name, err)
	}
	quiet, err := w.dump(ctx, s, false)
	if err != nil || hash(quiet) != want.afterQuiet {
		return 0, fmt.Sprintf("%s, begun before, does not end right: %v", step.name, err)
	}
	return acked + 1, ""
}

// compare checks a store that has made n steps.
func compare(ctx context.Context, s *seshat.Store, w *work, ref *reference, n int) string {
	defer func() { _ = s.Close() }()
	if bad := findings(ctx, s); bad != "" {
		return bad
	}
	want, err := ref.of(ctx, n)
	if err != nil {
		return fmt.Sprintf("reference: %v", err)
	}
	w.at(n)
	quiet, err := w.dump(ctx, s, false)
	if err != nil {
		return fmt.Sprintf("dump: %v", err)
	}
	if hash(quiet) != want.afterQuiet {
		return fmt.Sprintf("state after %d steps, the last three after the crash, is not right", n)
	}
	return ""
}

// findings returns the findings of Check.
func findings(ctx context.Context, s *seshat.Store) string {
	report, err := s.Check(ctx)
	if err != nil {
		return fmt.Sprintf("check: %v", err)
	}
	if len(report.Findings) > 0 {
		return fmt.Sprintf("check: %s: %s (of %d)", report.Findings[0].Where, report.Findings[0].What,
			len(report.Findings))
	}
	return ""
}
