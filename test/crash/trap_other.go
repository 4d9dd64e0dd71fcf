//go:build !linux || !(amd64 || arm64)

package crash

func (r *recorder) trap() error { return errNoTrap }
