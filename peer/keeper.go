package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Keeper keeps what a Host publishes beyond its rings: on a disk, say.
type Keeper interface {
	// Keep takes a batch: the body of its Data frame, with that header, which
	// nobody modifies any more. Of one stream it is called in the order of
	// numbers, from any goroutine, whether anybody watches or not. It must not wait.
	// An error says why it is not kept. Of a stream that is durable the batch is then refused, and its numbers are those of the next.
	Keep(stream StreamConfig, h wire.Header, body []byte) error

	// Read reads what was kept of streams, by name, behind a position of each
	// (whose Epoch is 0 where nothing is known), as far back as since (0: all).
	// It is called from the Host's loop and must not wait.
	Read(after map[string]wire.Position, since time.Duration) Past
}

// Past yields what a Keeper kept, in its order. It is used by one goroutine.
type Past interface {
	// Next returns what is next; io.EOF: no more now. Behind other errors it goes on: those of a disk, and
	// one that says that it has looked for long without finding anything.
	Next() (Kept, error)
	// Settled reports whether nothing that was kept before Read is still on its way to where it can be read.
	Settled() bool
	// Ends are the positions at which runs of the program ended that said so, by stream's name: of the run in which a stream got to
	// where Next is.
	Ends() map[string]wire.Position
	Close()
}

// Kept is a batch, or a gap, of a stream of this run of the program or an earlier one.
type Kept struct {
	Stream StreamConfig // as it was then
	Epoch  uint32
	Number uint32   // the stream's, in that epoch
	Body   []byte   // of the Data frame; valid until the next call of Next
	Gap    wire.Gap // From 0: it is a batch
}

// noKeeper keeps nothing.
type noKeeper struct{}

func (noKeeper) Keep(StreamConfig, wire.Header, []byte) error { return nil }

func (noKeeper) Read(map[string]wire.Position, time.Duration) Past { return nil }
