package httpsuite

import "github.com/seshatdb/seshat/driver"

// keepOpen is a driver that another store owns and closes.
type keepOpen struct{ driver.Driver }

// Close leaves the driver open.
func (keepOpen) Close() error { return nil }
