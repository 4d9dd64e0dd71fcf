//go:build !linux

// Package mountns runs tests in their own mount namespace, if the system has
// such namespaces.
package mountns

import "testing"

// Run runs the tests.
func Run(m *testing.M) int { return m.Run() }

// Own reports whether the tests have their own mount namespace.
func Own() bool { return false }
