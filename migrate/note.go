package migrate

import (
	"encoding/json"
	"fmt"

	"github.com/seshatdb/seshat/driver"
)

// noteFormat is the version of notes. A run cannot resume from a note of
// another version.
const noteFormat = 1

// note is the state of an unfinished copy, which the destination keeps.
type note struct {
	Format int    `json:"format"`
	Clock  int64  `json:"source_clock"` // source's clock when the copy began; every write moves it
	Copied bool   `json:"copied"`       // all parts are copied and not compared yet
	Last   place  `json:"last"`
	Sums   Sums   `json:"sums"`
	Hash   []byte `json:"hash"` // of the parts so far
}

// place is a driver.Place whose strings may contain any bytes.
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

// after returns the place from which to resume, nil at the beginning.
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
	b, _ := json.Marshal(n) // cannot fail: numbers and bytes
	return b
}

func decodeNote(b []byte) (n note, err error) {
	if err := json.Unmarshal(b, &n); err != nil || n.Format != noteFormat {
		return n, fmt.Errorf("%w: another version began to load into the destination",
			driver.ErrFormat)
	}
	return n, nil
}
