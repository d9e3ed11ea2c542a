package agent

import "time"

// SetClock gives an agent another clock than the machine's.
func (c *Config) SetClock(clock func() time.Time) { c.clock = clock }
