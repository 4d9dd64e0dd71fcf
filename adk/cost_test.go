package adk_test

import (
	"fmt"
	"testing"

	"google.golang.org/adk/v2/session"

	"github.com/seshatdb/seshat"
	"github.com/seshatdb/seshat/adk"
	"github.com/seshatdb/seshat/seshattest"
)

// long returns a service on a file, and a session with n events.
func long(t testing.TB, n int) (*adk.Service, session.Session) {
	store := seshattest.OpenFile(t, seshat.Options{})
	s := adk.New(store.Store, adk.Options{})
	from := session.InMemoryService()
	r, err := from.Create(t.Context(), &session.CreateRequest{AppName: "app", UserID: "mia", SessionID: "s"})
	for i := 0; i < n && err == nil; i++ {
		err = from.AppendEvent(t.Context(), r.Session, said(fmt.Sprint("old", i)))
	}
	if err == nil {
		_, err = s.Import(t.Context(), r.Session)
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(t.Context(), &session.GetRequest{AppName: "app", UserID: "mia", SessionID: "s"})
	if err != nil || got.Session.Events().Len() != n {
		t.Fatalf("error %v", err)
	}
	return s, got.Session
}

func TestAppendCostsTheSameOnALongSession(t *testing.T) {
	cost := func(n int) float64 {
		s, h := long(t, n)
		i := 0
		return testing.AllocsPerRun(50, func() {
			i++
			if err := s.AppendEvent(t.Context(), h, said(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		})
	}
	short, long := cost(10), cost(5000)
	t.Logf("allocations: %v with 10 events, %v with 5000", short, long)
	if long > 1.25*short {
		t.Errorf("an append allocates %v times with 10 events, and %v with 5000", short, long)
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	for _, n := range []int{10, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, h := long(b, n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				if err := s.AppendEvent(b.Context(), h, said(fmt.Sprint(i))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
