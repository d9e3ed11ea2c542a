// Package peer is what both ends of a telepath link share: a device's Host
// publishes streams, a viewer's Conn receives them, over whatever path there
// is at the moment.
//
//	Host (device)                              Conn (viewer)
//	  Stream.Publish                             Events.Batch, Events.Gap
//	  rings, outboxes   ── session ──            inboxes, acknowledgements
//	  paths             ── ladder ──             paths
//	  link, data channels ── carriers ──         link, data channels
//
// A Conn outlives every path under it. It starts on the link, the WebSocket
// that both ends have to the server anyway; climbs to a data channel when one
// has proved itself in both directions; and comes back when that dies. Who
// publishes or receives never knows, except to show it.
//
// Both ends work the same way: one goroutine (Run) owns all state and never
// blocks; carriers hand it packets, timers wake it, and what it sends goes
// into the carriers' own bounded queues. What to send, on which path and when
// is decided by the pure packages session and ladder.
//
// docs/protocol.md is normative for what the two ends say to one another.
package peer
