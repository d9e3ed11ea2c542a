package port

import "sync/atomic"

// Reason is why a connection was closed, or a datagram dropped, here.
type Reason int

// The reasons.
const (
	Silent    Reason = iota // it did not say what it is in time, or hung up before
	Unknown                 // it begins with nothing that is served here
	BadTLS                  // TLS was not agreed on
	Unserved                // the side that it is for is not served
	Busy                    // the side that it is for did not take it in time
	Crowded                 // too many others came while it had not said what it is
	QueueFull               // a datagram found its side's queue full
	TooLarge                // a datagram is larger than any that is served
	reasons                 // how many
)

// Reasons are all of them, for who counts.
var Reasons = [reasons]Reason{Silent, Unknown, BadTLS, Unserved, Busy, Crowded, QueueFull, TooLarge}

// String is the reason's name in logs and metrics.
func (r Reason) String() string {
	return [...]string{"silent", "unknown", "bad-tls", "unserved", "busy", "crowded", "queue-full", "too-large"}[r]
}

// counts are what a port counts.
type counts struct {
	served  [sides]atomic.Uint64
	dropped [reasons]atomic.Uint64
}

// Counts are totals since the start: connections, or datagrams.
type Counts struct {
	Served  [sides]uint64   // handed to a side
	Dropped [reasons]uint64 // not handed to any
}

func (c *counts) snapshot() (now Counts) {
	for i := range c.served {
		now.Served[i] = c.served[i].Load()
	}
	for i := range c.dropped {
		now.Dropped[i] = c.dropped[i].Load()
	}
	return now
}
