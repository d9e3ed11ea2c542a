// Package session makes delivery classes out of frames that are lost,
// repeated and reordered by paths that come and go. It is the pure half of
// docs/protocol.md, sections 3.5 and 5.
//
//	producer ─▶ Ring ─▶ Outbox ─▶ (frames, any path) ─▶ Inbox ─▶ application
//	                      ▲                               │
//	                      └────────── positions ──────────┘
//
// A Ring holds the newest batches of one Event stream; a Budget bounds all
// rings of a device together. An Outbox is what one Conn still has to get of
// one Ring: it decides what to send, and what to send again, within a Flight
// that bounds what the Conn has under way. An Inbox is the receiving end
// of a stream: Event comes out exactly once and in order, with declared
// gaps for what will never come, and an Early bounds what those of a Conn hold
// of what came early; Live comes out at most once, and fresh. A Clock
// estimates the other end's clock from probes.
//
// Everything is told the time (a duration since any fixed start, from a
// monotonic clock) and answers with values. Nothing here has a clock, a
// goroutine or I/O, and nothing is safe for concurrent use.
package session
