package lin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Explain describes each session whose calls have no valid order. It lists the
// calls around the one at which the search ended.
func (h *History) Explain(timeout time.Duration) string {
	var b strings.Builder
	for _, part := range bySession(h.operations) {
		result, info := porcupine.CheckOperationsVerbose(unsure, part, timeout)
		if result == porcupine.Ok {
			continue
		}
		longest := 0
		for _, order := range info.PartialLinearizations()[0] {
			longest = max(longest, len(order))
		}
		slices.SortFunc(part, func(x, y porcupine.Operation) int { return int(x.Call - y.Call) })
		fmt.Fprintf(&b, "%s: %d of %d calls have an order\n", part[0].Input.(input).id, longest, len(part))
		for _, o := range part[max(0, longest-25):min(len(part), longest+15)] {
			fmt.Fprintf(&b, "%d to %d, client %d: %+v -> %+v\n", o.Call, o.Return, o.ClientId, o.Input, o.Output)
		}
	}
	return b.String()
}
