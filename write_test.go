package seshat

import (
	"context"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
)

// traced is an engine that records the functions of the store on the stack of
// its last write, and the write's plan.
type traced struct {
	driver.Driver
	call []string
	plan string
}

func (d *traced) Mutate(ctx context.Context, ops ...*driver.Op) error {
	d.call = framesOfStore()
	d.plan = runtime.FuncForPC(reflect.ValueOf(ops[0].Plan).Pointer()).Name()
	return d.Driver.Mutate(ctx, ops...)
}

// framesOfStore returns the functions of this package on the stack, outermost
// first, without those of tests.
func framesOfStore() []string {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	var names []string
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		name, ok := strings.CutPrefix(f.Function, "github.com/seshatdb/seshat.")
		if ok && !strings.HasSuffix(f.File, "_test.go") {
			names = append(names, name)
		}
	}
	slices.Reverse(names)
	return names
}

// A write passes through few functions on its way to the engine, which runs the
// caller's own plan.
func TestWritesReachTheEngineDirectly(t *testing.T) {
	d := &traced{Driver: memdriver.Open()}
	s, err := OpenDriver(d, Options{SweepEvery: Never})
	adopt(t, s, err)
	tenant := mustTenant(t, s)
	for name, call := range map[string]func() error{
		"Append": func() error {
			_, err := tenant.Append(t.Context(), "s", Message{Role: RoleUser, Content: "hello"})
			return err
		},
		"Touch":  func() error { _, err := tenant.Touch(t.Context(), "s"); return err },
		"Delete": func() error { _, err := tenant.Delete(t.Context(), "s"); return err },
	} {
		if _, _, err := tenant.Ensure(t.Context(), NewSession{ID: "s"}); err != nil {
			t.Fatal(err)
		}
		if err := call(); err != nil {
			t.Fatal(err)
		}
		want := []string{"(*Tenant)." + name, "(*Tenant).writeSession", "(*Store).mutateWith"}
		if !slices.Equal(d.call, want) {
			t.Errorf("%s reaches the engine through %q, want %q", name, d.call, want)
		}
		if !strings.HasSuffix(d.plan, ".(*tenantWrite).run-fm") {
			t.Errorf("%s hands the engine %s as its plan", name, d.plan)
		}
	}
}
