package postgres

import "github.com/seshatdb/seshat/driver"

// Stats returns the counters of this process's commits. The engine has
// statistics of its own.
func (d *Driver) Stats() driver.Stats { return d.count.Stats() }
