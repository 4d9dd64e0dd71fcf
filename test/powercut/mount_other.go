//go:build !linux

package powercut

import "errors"

func mount(*Disk, string) (unmount func(), err error) { return nil, errors.ErrUnsupported }
