package lin

import (
	"encoding/gob"
	"io"
	"time"

	"github.com/anishathalye/porcupine"
)

// History records the calls of a plan's clients.
type History struct {
	operations []porcupine.Operation
	Codes      map[string]int // number of calls by outcome
	disasters  bool           // there were disasters, so calls may fail
}

func (h *History) add(o porcupine.Operation) {
	if h.Codes == nil {
		h.Codes = map[string]int{}
	}
	h.operations = append(h.operations, o)
	h.Codes[o.Output.(output).code]++
}

// Len returns the number of calls.
func (h *History) Len() int { return len(h.operations) }

// Check searches for an order of the calls that explains all results.
func (h *History) Check(timeout time.Duration) porcupine.CheckResult {
	if h.Codes[codeUnknown] > 0 {
		return porcupine.CheckOperationsTimeout(unsure, h.operations, timeout)
	}
	return porcupine.CheckOperationsTimeout(model, h.operations, timeout)
}

// Unexpected returns an outcome that no call may have, or "".
func (h *History) Unexpected() string {
	for code := range h.Codes {
		failed := code == codeUnknown || code == codeFailed || code == codeFull
		if len(code) > 10 && code[:10] == "unexpected" || failed && !h.disasters {
			return code
		}
	}
	return ""
}

// Merge adds the history of another process, which must share the Clock and use
// other client numbers.
func (h *History) Merge(other *History) {
	h.operations = append(h.operations, other.operations...)
	for code, n := range other.Codes {
		h.Codes[code] += n
	}
}

// record is the stored form of a call.
type record struct {
	Client             int
	Call, Return       int64
	Kind               kind
	ID, Name, To       string
	Version            uint64
	N                  int
	Began, End         int64
	Code               string
	Saw, Last, Count   uint64
	SawName, SawStatus string
	Updated, Expires   int64
	Partial            bool
}

// Write writes the history for Read in another process.
func (h *History) Write(w io.Writer) error {
	records := make([]record, 0, len(h.operations))
	for _, o := range h.operations {
		in := o.Input.(input)
		out := o.Output.(output)
		records = append(records, record{
			Client: o.ClientId, Call: o.Call, Return: o.Return,
			Kind: in.kind, ID: in.id, Name: in.name, To: in.to, Version: in.version, N: in.n, Began: in.began,
			End:  in.end,
			Code: out.code, Saw: out.version, Last: out.last, Count: out.count, SawName: out.name,
			SawStatus: out.status,
			Updated:   out.updated, Expires: out.expires, Partial: out.partial,
		})
	}
	return gob.NewEncoder(w).Encode(records)
}

// Read reads a history that Write wrote.
func Read(r io.Reader) (*History, error) {
	var records []record
	if err := gob.NewDecoder(r).Decode(&records); err != nil {
		return nil, err
	}
	h := &History{Codes: map[string]int{}}
	for _, x := range records {
		in := input{
			kind: x.Kind, id: x.ID, name: x.Name, to: x.To, version: x.Version, n: x.N, began: x.Began,
			end: x.End,
		}
		out := output{code: x.Code, partial: x.Partial, seen: seen{
			version: x.Saw, last: x.Last, count: x.Count, name: x.SawName, status: x.SawStatus,
			updated: x.Updated, expires: x.Expires,
		}}
		h.operations = append(h.operations,
			porcupine.Operation{ClientId: x.Client, Input: in, Call: x.Call, Output: out, Return: x.Return})
		h.Codes[x.Code]++
	}
	return h, nil
}
