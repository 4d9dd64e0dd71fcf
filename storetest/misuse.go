package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seshatdb/seshat"
)

var misuses = []promise{
	{name: "the table of methods is complete", test: completeTable},
	{name: "every method succeeds when it is used right", test: rightUse},
	{name: "no context is refused", test: noContext},
	{name: "a cancelled context changes nothing", test: cancelledContext},
	{name: "every method of a closed store says so", test: closedMethods},
	{name: "a foreign id looks like an absent one", test: foreignSession},
	{name: "an illegal id is refused", test: illegalID},
	{name: "a terminated session is read-only", test: endedSession},
	{name: "an error names the method that was called", test: namedMethod},
	{name: "an argument that is not allowed is named", test: namedArguments},
	{name: "a tenant of a deleted namespace finds nothing", test: staleTenant},
}

// method is an exported method of Store or Tenant, and the ways to misuse it.
// The table is in methods.go.
type method struct {
	// call calls the method on the session id and would succeed. It is nil if
	// the method takes no context and cannot fail.
	call func(sc *Scene, ctx context.Context, id string) error

	session bool  // the method is about the session id
	ended   error // its error for a terminated session

	// refused are invalid calls, keyed by the field that the error names. If a
	// field has several, a space and a suffix distinguish them.
	refused refusals
}

// first returns the error of an iterator's first element and stops there.
func first[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		return err
	}
	return nil
}

// eachMethod runs fn as a subtest for each method that can fail, ordered by
// name.
func (e *env) eachMethod(fn func(e *env, name string, m method)) {
	e.Helper()
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		if m := methods[name]; m.call != nil {
			e.Run(name, func(t *testing.T) {
				sub := *e
				sub.T = t
				fn(&sub, name, m)
			})
		}
	}
}

// eachMisuse runs fn on one scene for each method that can fail. Afterwards the
// store must be unchanged.
func (e *env) eachMisuse(fn func(e *env, sc *Scene, m method)) {
	e.Helper()
	sc := NewScene(e.T, e.Store)
	e.eachMethod(func(e *env, _ string, m method) {
		before := sc.Digest(e.T)
		fn(e, sc, m)
		if after := sc.Digest(e.T); after != before {
			e.Errorf("the store changed from\n%s\nto\n%s", before, after)
		}
	})
}

// completeTable fails if the table lacks an exported method.
func completeTable(e *env) {
	missing := map[string]bool{}
	for name := range methods {
		missing[name] = true
	}
	for prefix, typ := range map[string]reflect.Type{
		"Store.": reflect.TypeFor[*seshat.Store](), "Tenant.": reflect.TypeFor[*seshat.Tenant](),
	} {
		for i := range typ.NumMethod() {
			name := prefix + typ.Method(i).Name
			if _, ok := methods[name]; !ok {
				e.Errorf("%s is not in the table", name)
			}
			delete(missing, name)
		}
	}
	for name := range missing {
		e.Errorf("%s is in the table, but there is no such method", name)
	}
}

// rightUse makes the valid calls of the table. This proves that each misuse
// fails for its one error.
func rightUse(e *env) {
	e.eachMethod(func(e *env, _ string, m method) {
		e = newEnv(e.T, e.h, seshat.Options{})
		err := m.call(NewScene(e.T, e.Store), e.ctx, "s")
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			e.Errorf("got error %v", err)
		}
	})
}

func noContext(e *env) {
	e.eachMisuse(func(e *env, sc *Scene, m method) {
		e.isInvalid(m.call(sc, nil, "s"), "ctx")
	})
}

func cancelledContext(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	e.eachMisuse(func(e *env, sc *Scene, m method) {
		e.isError(m.call(sc, ctx, "s"), context.Canceled)
	})
}

func closedMethods(e *env) {
	sc := NewScene(e.T, e.Store)
	e.must(e.Close())
	e.eachMethod(func(e *env, _ string, m method) {
		if err := m.call(sc, e.ctx, "s"); !errors.Is(err, errors.ErrUnsupported) {
			e.isError(err, seshat.ErrClosed)
		}
	})
}

func foreignSession(e *env) {
	e.eachMisuse(func(e *env, sc *Scene, m method) {
		if !m.session {
			return
		}
		foreign := m.call(sc, e.ctx, "foreign")
		absent := m.call(sc, e.ctx, "no such")
		e.isError(foreign, seshat.ErrNotFound)
		e.isError(absent, seshat.ErrNotFound)
		want := strings.ReplaceAll(fmt.Sprint(absent), "no such", "foreign")
		equal(e, "error of a foreign id", foreign.Error(), want)
	})
}

func illegalID(e *env) {
	e.eachMisuse(func(e *env, sc *Scene, m method) {
		if !m.session {
			return
		}
		for why, id := range map[string]string{
			"empty": "", "NUL": "a\x00", "DEL": "\x7f", "C1": "\u0085", "not UTF-8": "\xff",
			"too long": long, "huge": strings.Repeat("x", 1<<20),
		} {
			e.Log("an id that is", why)
			e.isInvalid(m.call(sc, e.ctx, id), "session_id")
		}
	})
}

func endedSession(e *env) {
	e.eachMisuse(func(e *env, sc *Scene, m method) {
		if m.session && m.ended != nil {
			e.isError(m.call(sc, e.ctx, "ended"), m.ended)
		}
	})
}

// namedMethod makes each method fail in every way of the table.
func namedMethod(e *env) {
	sc := NewScene(e.T, e.Store)
	cancelled, cancel := context.WithCancel(e.ctx)
	cancel()
	e.eachMethod(func(e *env, name string, m method) {
		errs := []error{m.call(sc, nil, "s"), m.call(sc, cancelled, "s")}
		if m.session {
			errs = append(errs, m.call(sc, e.ctx, "no such"), m.call(sc, e.ctx, ""))
		}
		if m.session && m.ended != nil {
			errs = append(errs, m.call(sc, e.ctx, "ended"))
		}
		for _, refused := range m.refused {
			errs = append(errs, refused(sc, e.ctx))
		}
		for _, err := range errs {
			e.isErrorOf(err, name)
		}
	})
	e.must(e.Close())
	e.eachMethod(func(e *env, name string, m method) { e.isErrorOf(m.call(sc, e.ctx, "s"), name) })
}

// isErrorOf fails the test unless err is an Error of that method, such as
// "Tenant.Get", wrapped once.
func (e *env) isErrorOf(err error, method string) {
	e.Helper()
	_, name, _ := strings.Cut(method, ".")
	outer, ok := err.(*seshat.Error)
	if !ok || outer.Op != name {
		e.Errorf("got error %#v of %s", err, name)
		return
	}
	var inner *seshat.Error
	if errors.As(outer.Err, &inner) {
		e.Errorf("the error %q of %s is wrapped twice", err, name)
	}
}

func namedArguments(e *env) {
	e.eachMisuse(func(e *env, sc *Scene, m method) {
		for _, field := range slices.Sorted(maps.Keys(m.refused)) {
			e.Log(field)
			name, _, _ := strings.Cut(field, " ")
			e.isInvalid(m.refused[field](sc, e.ctx), name)
		}
	})
}

func staleTenant(e *env) {
	sc := NewScene(e.T, e.Store)
	e.must(second(sc.tenant.DeleteNamespace(e.ctx)))
	e.eachMethod(func(e *env, name string, m method) {
		if strings.HasPrefix(name, "Tenant.") {
			e.isError(m.call(sc, e.ctx, "s"), seshat.ErrNotFound)
		}
	})
}
