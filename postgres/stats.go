package postgres

import "github.com/seshatdb/seshat/driver"

// Stats counts this process's commits. What the engine counts is the engine's.
func (d *Driver) Stats() driver.Stats { return d.count.Stats() }
