// Package scale compares a large store with a small one: the reads of a call
// must not grow with the rest of the store. The sizes are small by default.
// `make scale` runs the tests at full size.
package scale
