//go:build !linux

// Package mountns gives tests a mount namespace of their own, where there is
// such a thing.
package mountns

import "testing"

// Run runs the tests.
func Run(m *testing.M) int { return m.Run() }

// Own reports whether the tests have a mount namespace of their own.
func Own() bool { return false }
