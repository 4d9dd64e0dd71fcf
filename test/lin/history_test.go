package lin

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/seshatdb/seshat"
)

// Promise: Read returns the history that Write wrote.
func TestHistoryIsReadAsWritten(t *testing.T) {
	h, err := plan(*seed, seshat.OpenMemory).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := h.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if h.Len() != *clients**calls || !reflect.DeepEqual(got, h) {
		t.Errorf("%d of %d calls, or others, were read", got.Len(), h.Len())
	}
}

// Promise: merged histories are checked together. The histories of two separate
// stores, merged, have no valid order.
func TestStoresApartAreNotLinearizable(t *testing.T) {
	p := plan(*seed, seshat.OpenMemory)
	p.Clock, p.Clients = new(Clock), *clients/2
	all := &History{Codes: map[string]int{}}
	for range 2 {
		h, err := p.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Check(patience); got != porcupine.Ok {
			t.Errorf("one store alone: %s", got)
		}
		all.Merge(h)
		p.First += p.Clients
	}
	if got := all.Check(patience); got != porcupine.Illegal {
		t.Errorf("two stores: %s, want it to be found", got)
	}
}
