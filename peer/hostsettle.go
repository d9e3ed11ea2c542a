package peer

import (
	"context"
	"errors"

	"github.com/telepath-iot/telepath/peer/wire"
)

var errOver = errors.New("peer: the host has ended")

// Settle returns when all that was published before it is where its class
// keeps it, and on its way to whoever is linked; also to the server, for those
// who will come. So it can be told to have been taken. It is for publishers
// that answer for each batch; others have no need to wait.
func (h *Host) Settle(ctx context.Context) error {
	if h.loop.ask(ctx, h.settle) {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errOver
}

func (h *Host) settle() {
	now := h.loop.now()
	h.step(now)
	if h.welcomed && h.unstored {
		h.store(now)
	}
}

// Position is that of the newest sample that was published.
func (s *Stream) Position() wire.Position {
	return wire.Position{Stream: s.id, Epoch: s.epoch, Seq: s.head()}
}
