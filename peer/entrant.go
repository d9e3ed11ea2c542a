package peer

import (
	"context"
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// maxKept is how many packets an entrant keeps before it is chosen: the server
// says little before it is answered. More wait in the path.
const maxKept = 64

// entrant is a carrier in a race. It runs from its opening, so that it can be
// heard, and keeps what comes until somebody runs it.
type entrant struct {
	carrier.Carrier
	rode bool // its request carried the open

	life context.Context
	end  context.CancelCauseFunc

	heard chan struct{} // closed with the first packet
	taken chan struct{} // closed when nothing is kept any more
	over  chan struct{} // closed when the carrier has ended
	err   error         // after over

	mu      sync.Mutex
	kept    [][]byte            // guarded by mu
	receive func(packet []byte) // guarded by mu; nil: keep
}

// newEntrant runs a carrier that was opened. tasks waits for its end.
func newEntrant(c carrier.Carrier, rode bool, tasks *sync.WaitGroup) *entrant {
	e := &entrant{
		Carrier: c, rode: rode,
		heard: make(chan struct{}), taken: make(chan struct{}), over: make(chan struct{}),
	}
	e.life, e.end = context.WithCancelCause(context.Background())
	tasks.Go(func() {
		defer close(e.over)
		e.err = c.Run(e.life, e.take)
	})
	return e
}

// take keeps a packet or hands it on.
func (e *entrant) take(packet []byte) {
	e.mu.Lock()
	receive := e.receive
	if receive == nil && len(e.kept) < maxKept {
		e.kept = append(e.kept, append([]byte(nil), packet...))
		if len(e.kept) == 1 && !closed(e.heard) {
			close(e.heard)
		}
		e.mu.Unlock()
		return
	}
	e.mu.Unlock()
	if receive == nil {
		select {
		case <-e.taken:
		case <-e.life.Done():
			return
		}
		receive = e.receive // never changes again
	}
	receive(packet)
}

// Run implements carrier.Carrier: what was kept comes first.
func (e *entrant) Run(ctx context.Context, receive func(packet []byte)) error {
	defer context.AfterFunc(ctx, func() { e.end(context.Cause(ctx)) })()
	for {
		e.mu.Lock()
		kept := e.kept
		e.kept = nil
		if len(kept) == 0 {
			e.receive = receive
			close(e.taken)
			e.mu.Unlock()
			break
		}
		e.mu.Unlock()
		for _, packet := range kept {
			receive(packet)
		}
	}
	<-e.over
	return e.err
}

// drop leaves an entrant that nobody will run.
func (e *entrant) drop() { e.end(errDropped) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
