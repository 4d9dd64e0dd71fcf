package storetest

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/seshatdb/seshat"
)

// restoreRandom sets random fields of a snapshot to random values, valid or
// not. Restore either refuses the snapshot and leaves nothing, or it creates a
// session that can be read and written and that Check accepts.
func restoreRandom(e *env) {
	a := e.tenant("a")
	b := e.tenant("b")
	n := fullSession()
	n.Quotas = seshat.Quotas{MaxSessionDurationMinutes: 1000}
	e.create(a, n)
	e.append(a, "s", newMessages(3)...)
	taken := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 37))
		s := *e.get(a, "s")
		log := e.log(a, "s")
		for range 1 + r.IntN(3) {
			if r.IntN(3) == 0 {
				setRandomField(r, reflect.ValueOf(&log[r.IntN(3)]).Elem())
			} else {
				setRandomField(r, reflect.ValueOf(&s).Elem())
			}
		}
		id := s.ID
		_, err := b.Restore(e.ctx, seshat.Snapshot{Session: &s, Messages: messages(log...)})
		if err != nil {
			if !errors.Is(err, seshat.ErrInvalid) {
				e.Fatalf("seed %d: %v of %+v", seed, err, s)
			}
			if len(e.ids(b, seshat.Query{})) > 0 {
				e.Fatalf("seed %d: refused with %v, and made", seed, err)
			}
			continue
		}
		taken++
		e.expectUsable(b, id, seed)
	}
	if taken < 10 || taken > 140 {
		e.Fatalf("%d of 150 random snapshots were taken", taken)
	}
}

// expectUsable fails the test unless a session can be read, checked and
// written. It removes the session.
func (e *env) expectUsable(t *seshat.Tenant, id string, seed uint64) {
	e.Helper()
	s := e.get(t, id)
	if _, err := s.MarshalJSON(); err != nil {
		e.Fatalf("seed %d: %v", seed, err)
	}
	for _, m := range e.log(t, id) {
		if _, err := m.MarshalJSON(); err != nil {
			e.Fatalf("seed %d: message %d: %v", seed, m.Seq, err)
		}
	}
	report, err := e.Check(e.ctx)
	e.must(err)
	if len(report.Findings) > 0 {
		e.Fatalf("seed %d: %v of %+v", seed, report.Findings, s)
	}
	_, err = t.Append(e.ctx, id, newMessages(1)...)
	for _, legal := range []error{seshat.ErrReadOnly, seshat.ErrQuota} {
		if errors.Is(err, legal) {
			err = nil
		}
	}
	if err != nil {
		e.Fatalf("seed %d: an append: %v", seed, err)
	}
	e.must(second(t.Delete(e.ctx, id)))
}

var (
	someTimes = []time.Time{
		{},
		time.UnixMilli(0), time.UnixMilli(1), time.UnixMilli(-1), time.Unix(math.MaxInt64, 0),
		time.Unix(math.MinInt64, 0),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2026, 1, 5, 0, 0, 0, 1, time.FixedZone("", 3600)),
		time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC),
	}
	someNumbers = []uint64{0, 1, 2, 3, 4, 100, 1 << 31, 1 << 62, math.MaxInt64, math.MaxUint64}
	someTexts   = []string{"", "a", "s", "\n", "\xff", "日本"}
	someFloats  = []float64{0, -1, 0.5, 1, math.NaN(), math.Inf(1), math.MaxFloat64}
)

// setRandomField sets one random exported field of v or of a value inside v.
func setRandomField(r *rand.Rand, v reflect.Value) {
	switch at := v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(anyOf(r, someTimes)))
		return
	case seshat.Document:
		v.Set(reflect.ValueOf(seshat.NewDocument(map[string]any{"k": anyOf(r, []any{1, "x", func() {}, nil})})))
		return
	case time.Duration:
		v.SetInt(int64(anyOf(r, []time.Duration{0, seshat.Never, -2, 1, ms, hour, math.MaxInt64, at + ms})))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for {
			if i := r.IntN(v.NumField()); v.Type().Field(i).IsExported() {
				setRandomField(r, v.Field(i))
				return
			}
		}
	case reflect.String:
		v.SetString(anyOf(r, someTexts))
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint8:
		v.SetUint(uint64(r.IntN(7)))
	case reflect.Uint64:
		v.SetUint(anyOf(r, someNumbers))
	case reflect.Float64:
		v.SetFloat(anyOf(r, someFloats))
	case reflect.Pointer, reflect.Map:
		v.SetZero()
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(anyOf(r, []string{"", "{}", "{"})))
		}
	}
}

func anyOf[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }
