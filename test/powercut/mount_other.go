//go:build !linux || !(amd64 || arm64)

package powercut

import "errors"

func mount(*Disk, string) (unmount func(), err error) { return nil, errors.ErrUnsupported }
