package drivertest

import (
	"bytes"
	"slices"
	"strings"

	"github.com/seshatdb/seshat/driver"
)

// The suite deeply copies its arguments and the driver's results, including the
// bytes of strings, so that shared memory shows up as a difference.

func cloneRecord(r *driver.Record) *driver.Record {
	c := *r
	c.ID, c.UserID = strings.Clone(r.ID), strings.Clone(r.UserID)
	c.Labels = slices.Clone(r.Labels)
	for i, l := range c.Labels {
		c.Labels[i] = driver.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)}
	}
	c.Body = bytes.Clone(r.Body)
	return &c
}

func cloneMessage(m *driver.Message) driver.Message {
	c := *m
	c.ID, c.Body = strings.Clone(m.ID), bytes.Clone(m.Body)
	return c
}

// cloneValue copies v and keeps nil distinct from empty.
func cloneValue(v []byte) []byte { return bytes.Clone(v) }
