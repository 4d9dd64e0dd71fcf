package migrate

import (
	"encoding/json"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// noteFormat is the version of notes. One of another version is not gone on
// from.
const noteFormat = 1

// note is what the destination remembers of a copy that goes on.
type note struct {
	Format int    `json:"format"`
	Clock  int64  `json:"source_clock"` // when the copy began: a write moves it
	Copied bool   `json:"copied"`       // all is there, and still to be compared
	Last   place  `json:"last"`
	Sums   Sums   `json:"sums"`
	Hash   []byte `json:"hash"` // of the parts so far
}

// place is a driver.Place whose strings may be any bytes.
type place struct {
	Kind        driver.PartKind `json:"kind"`
	Namespace   uint64          `json:"namespace"`
	Incarnation []byte          `json:"incarnation"`
	Number      uint64          `json:"number"`
	Owner       []byte          `json:"owner"`
	Name        []byte          `json:"name"`
}

func newPlace(at driver.Place) place {
	return place{at.Kind, at.Namespace, at.Incarnation[:], at.Number, []byte(at.Owner), []byte(at.Name)}
}

// after returns the place to go on after, nil at the beginning.
func (p *place) after() *driver.Place {
	if p.Kind == 0 {
		return nil
	}
	at := &driver.Place{
		Kind: p.Kind, Namespace: p.Namespace, Number: p.Number, Owner: string(p.Owner),
		Name: string(p.Name),
	}
	copy(at.Incarnation[:], p.Incarnation)
	return at
}

func (n *note) encode() []byte {
	b, _ := json.Marshal(n) // of numbers and bytes, it cannot fail
	return b
}

func decodeNote(b []byte) (n note, err error) {
	if err := json.Unmarshal(b, &n); err != nil || n.Format != noteFormat {
		return n, fmt.Errorf("%w: a load into the destination is under way that this version did not begin",
			driver.ErrFormat)
	}
	return n, nil
}
