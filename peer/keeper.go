package peer

import "github.com/telepath-iot/telepath/peer/wire"

// Keeper keeps what a Host publishes beyond its rings: on a disk, say.
type Keeper interface {
	// Keep takes a batch: the body of its Data frame, with that header, which
	// nobody modifies any more. Of one stream it is called in the order of
	// numbers, from any goroutine, whether anybody watches or not. It must not wait.
	Keep(stream StreamConfig, h wire.Header, body []byte)
}

// noKeeper keeps nothing.
type noKeeper struct{}

func (noKeeper) Keep(StreamConfig, wire.Header, []byte) {}
