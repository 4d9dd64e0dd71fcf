package storetest

import (
	"context"
	"errors"
	"sync/atomic"
)

// countdown is a context that ends after a number of checks whether it has
// ended. It thus ends a call at a place that no clock can hit.
type countdown struct {
	context.Context
	left int64
	n    atomic.Int64
}

var errCountdown = errors.New("counted down")

func (c *countdown) Err() error {
	if c.n.Add(1) > c.left {
		return errCountdown
	}
	return nil
}
