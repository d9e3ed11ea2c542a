// Package live mends the Live channel of one path, whose packets are lost. It
// is the pure half of docs/protocol.md, section 7.5.
//
//	fresh frames ─▶ Out ─▶ (numbered packets) ─▶ In ─▶ contents, in any order
//	                 ▲                            │
//	                 └───────── receipts ─────────┘
//
// An Out numbers packets and learns from receipts what the path does: loss,
// round trip, a queue before its narrowest hop. From that it chooses, packet by
// packet: nothing beside what is fresh; frames again that a receipt lacks, while they can be
// in time; parities of earlier packets, where they cannot; what may be lost, before anybody
// says so, where nothing is acknowledged any more. An In tells what
// came and makes what did not out of parities. It knows packets, not samples:
// that each is delivered once is up to package session.
//
// Both are told the time (a duration since any fixed start, from a monotonic
// clock) and answer with values. Nothing here has a clock, a goroutine or I/O,
// and nothing is safe for concurrent use.
package live

import (
	"math"
	"time"
)

// Never is a wake-up that does not come: nothing will change without an event.
const Never time.Duration = math.MaxInt64
