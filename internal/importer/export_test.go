package importer

import "time"

// SetNow has a run take its time from a test.
func (c *Config) SetNow(now func() time.Time) { c.now = now }
