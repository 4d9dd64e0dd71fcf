package postgres

import "github.com/seshatdb/seshat/driver"

// Stats returns the counters of the commits of this process. PostgreSQL has
// statistics of its own.
func (d *Driver) Stats() driver.Stats { return d.count.Stats() }
