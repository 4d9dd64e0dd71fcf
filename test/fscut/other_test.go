//go:build !linux

package fscut

import "testing"

func TestLinearizableAcrossShutdowns(t *testing.T) {
	t.Skip("SKIPPED, real file systems are cut on Linux only")
}
