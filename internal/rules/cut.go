package rules

// Part is what a message is to a Cutter.
type Part struct {
	Tokens       uint64
	Call, Result bool
	CallID       string // pairs a call with its result; "" = unknown
}

// Cutter walks a log from its new end, and remembers the furthest place at
// which it may be cut: where no result needs a call from before it.
type Cutter struct {
	left  uint64          // tokens
	n     int             // messages taken
	whole int             // messages up to the furthest good cut
	open  map[string]bool // ids of results whose calls did not come yet; "" = one without
	call  bool            // the last message taken is a call
}

// NewCutter returns a cutter that takes messages of so many tokens together.
func NewCutter(budget uint64) *Cutter { return &Cutter{left: budget, open: map[string]bool{}} }

// Add takes the next older message, unless the budget is spent.
func (c *Cutter) Add(p Part) bool {
	c.Before(p.Call)
	if p.Tokens > c.left {
		return false
	}
	c.left -= p.Tokens
	c.n++
	c.call = p.Call
	switch {
	case p.Result:
		c.open[p.CallID] = true
	case c.call && p.CallID != "":
		delete(c.open, p.CallID)
		delete(c.open, "")
	case c.call: // of any id, perhaps of several
		clear(c.open)
	}
	return true
}

// Before decides whether the log may be cut at the last message taken, given
// whether the one before it is a call: calls side by side have their results
// behind the last of them.
func (c *Cutter) Before(call bool) {
	if len(c.open) == 0 && !(c.call && call) {
		c.whole = c.n
	}
}

// Whole is how many messages stay when the log is cut at the furthest place.
func (c *Cutter) Whole() int { return c.whole }
