package rules

// Part is a message as a Cutter sees it.
type Part struct {
	Tokens       uint64 // of the message
	Call, Result bool   // whether it is a tool call or a tool result
	CallID       string // id that a call and its result share, "" = unknown
}

// Cutter walks a log from its newest message and remembers the furthest place
// at which it may be cut: no result after the cut needs a call before it.
type Cutter struct {
	left  uint64          // tokens left
	n     int             // messages taken
	whole int             // messages up to the furthest allowed cut
	open  map[string]bool // ids of results whose calls are still missing, "" = one without id
	call  bool            // the last message is a call
}

// NewCutter returns a cutter with a budget in tokens.
func NewCutter(budget uint64) *Cutter { return &Cutter{left: budget, open: map[string]bool{}} }

// Add takes the next older message. It returns false if the message exceeds the
// budget.
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
	case c.call: // a call of any id, perhaps of several
		clear(c.open)
	}
	return true
}

// Before decides whether the log may be cut before the last message. call says
// whether the next older message is a call: the results of neighbouring calls
// follow the last of them.
func (c *Cutter) Before(call bool) {
	if len(c.open) == 0 && !(c.call && call) {
		c.whole = c.n
	}
}

// Whole returns the number of messages after the furthest allowed cut.
func (c *Cutter) Whole() int { return c.whole }
