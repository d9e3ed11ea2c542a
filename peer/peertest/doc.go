// Package peertest has networks in memory for tests of what talks over
// carriers: without sockets, so that it runs under testing/synctest, where a
// minute takes a millisecond.
//
//	Pair    two carriers joined by a Medium that can be slow, lossy, cut and healed
//	Ether   where ends meet directly, as over WebRTC, or do not
//	Relay   a signaling server as small as a Host and its Conns can live with
//
// Queues are the real ones of package carrier. What a Medium does to packets
// is what the real paths do: a stream (the WebSocket) loses nothing and
// stands still while it is cut; data channels lose what is neither Signal, Call
// nor Event, and end when they were cut for too long.
package peertest
