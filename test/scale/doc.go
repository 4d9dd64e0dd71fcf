// Package scale holds tests that compare a large store with a small one: what
// a call reads must not grow with what else is there. The sizes are small by
// default; `make scale` runs them at full size.
package scale
