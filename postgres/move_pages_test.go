package postgres_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/seshatdb/seshat/driver"
	"github.com/seshatdb/seshat/driver/memdriver"
	"github.com/seshatdb/seshat/migrate"
)

// many returns parts of two namespaces. Each namespace has n sessions with one
// message and the id of a deleted message, n staged logs, n entries and 2n
// events. If n is large enough, each kind fills more than a page of a dump.
func many(n int) (parts []driver.Part) {
	kinds := []func(ns uint64, i int) driver.Part{
		func(ns uint64, i int) driver.Part {
			return driver.Part{Kind: driver.PartEvent, Event: driver.Event{Position: uint64(i + 1), ID: "s", Kind: 1}}
		},
		func(ns uint64, i int) driver.Part {
			id := fmt.Sprintf("%05d", i)
			return driver.Part{Kind: driver.PartRecord, Record: driver.Record{
				Key: driver.Key{Namespace: ns, ID: id}, Incarnation: life(ns, 2*i), NextSeq: 3, Due: driver.Never,
				Expires: driver.Never, Messages: 1, Bytes: 1,
			}}
		},
		func(ns uint64, i int) driver.Part {
			return driver.Part{Kind: driver.PartStage, Incarnation: life(ns, 2*i+1), Time: 1}
		},
		func(ns uint64, i int) driver.Part {
			key := driver.EntryKey{
				Namespace: ns, Kind: driver.KindUser | uint8(i*3/n), Owner: "u",
				Name: fmt.Sprintf("%05d", i),
			}
			return driver.Part{Kind: driver.PartEntry, Entry: driver.Entry{EntryKey: key, Value: []byte("v")}}
		},
		func(ns uint64, i int) driver.Part {
			return driver.Part{
				Kind: driver.PartMessage, Incarnation: life(ns, i),
				Message: driver.Message{Seq: 1, ID: "first", Body: []byte("b")},
			}
		},
		func(ns uint64, i int) driver.Part {
			return driver.Part{
				Kind: driver.PartRef, Incarnation: life(ns, i),
				Message: driver.Message{Seq: 2, ID: "second"},
			}
		},
	}
	for ns := uint64(1); ns <= 2; ns++ {
		parts = append(parts, driver.Part{Kind: driver.PartFeed, Namespace: ns, Head: uint64(2 * n)})
	}
	for _, part := range kinds {
		for ns := uint64(1); ns <= 2; ns++ {
			for i := range 2 * n {
				p := part(ns, i)
				if p.Namespace = ns; i >= n &&
					(p.Kind == driver.PartRecord || p.Kind == driver.PartStage || p.Kind == driver.PartEntry) {
					break
				}
				parts = append(parts, p)
			}
		}
	}
	return parts
}

func life(ns uint64, i int) (inc driver.Incarnation) {
	binary.BigEndian.PutUint64(inc[:], ns)
	binary.BigEndian.PutUint64(inc[8:], uint64(i))
	return inc
}

// TestMovedPages moves more parts than a page of a dump holds. It also resumes
// dumps in the middle.
func TestMovedPages(t *testing.T) {
	t.Parallel()
	parts := many(1100)
	from, back := memdriver.Open(), memdriver.Open()
	must(t, from.Load(t.Context(), driver.Load{Parts: parts}))
	dsn, o := empty(t)
	there := open(t, dsn, o)
	_, err := migrate.Run(t.Context(), from, there, migrate.Options{StepParts: 3000})
	must(t, err)
	_, err = migrate.Run(t.Context(), there, back, migrate.Options{})
	must(t, err)
	if _, err := migrate.Compare(t.Context(), from, back); err != nil {
		t.Error(err)
	}
	audit(t, there)
	enough := errors.New("enough")
	for i := 0; i < len(parts)-2; i += 997 {
		at, next := parts[i].Place(), []driver.Place{}
		err := there.Dump(t.Context(), &at, func(p *driver.Part) error {
			if next = append(next, p.Place()); len(next) == 2 {
				return enough
			}
			return nil
		})
		if err != enough || next[0] != parts[i+1].Place() || next[1] != parts[i+2].Place() {
			t.Errorf("after %+v come %+v: %v", at, next, err)
		}
	}
}
