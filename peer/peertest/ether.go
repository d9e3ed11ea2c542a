package peertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// connectTime is how long an attempt on a cut Ether lasts before it fails, as
// ICE's checks do.
const connectTime = 5 * time.Second

var (
	errBlocked = errors.New("no packet came through")
	errOffer   = errors.New("nobody made this offer")
)

// Ether is where two ends meet directly. It stands for UDP between them:
// Cut drops all of it.
type Ether struct {
	mu     sync.Mutex
	cfg    Config             // of each connection that is offered; guarded by mu
	cut    bool               // guarded by mu
	healed chan struct{}      // guarded by mu; closed when the cut is over
	offers map[string]*Direct // guarded by mu; by description
	made   int                // guarded by mu
	media  []*Medium          // guarded by mu; but for stranded ones
}

// NewEther makes an Ether whose connections behave as cfg says.
func NewEther(cfg Config) *Ether {
	healed := make(chan struct{})
	close(healed)
	return &Ether{cfg: cfg, offers: map[string]*Direct{}, healed: healed}
}

// Cut drops everything from now on: those connected, and those who try.
func (e *Ether) Cut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cut {
		return
	}
	e.cut, e.healed = true, make(chan struct{})
	for _, m := range e.media {
		m.Cut()
	}
}

// On puts connections that are offered from now on on a rung.
func (e *Ether) On(rung ladder.Rung) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cfg.Rung = rung
}

// Heal undoes Cut.
func (e *Ether) Heal() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.cut {
		return
	}
	e.cut = false
	close(e.healed)
	for _, m := range e.media {
		m.Heal()
	}
}

// Strand cuts those connected, silently and for good, and lets new ones through: an
// end has another address from now on, and nobody was told.
func (e *Ether) Strand() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.media {
		m.Cut()
	}
	e.media = nil
}

// Made is how many connections were begun.
func (e *Ether) Made() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.made
}

// New makes an end that is not connected yet; its methods are those of
// rtc.Peer. It becomes the viewer's by Offer, the device's by Answer.
func (e *Ether) New() *Direct {
	return &Direct{ether: e, ready: make(chan struct{})}
}

// Direct is one end of a connection in an Ether.
type Direct struct {
	*Carrier
	ether *Ether        // set once
	ready chan struct{} // closed when it is connected; the answerer's is set by Answer
}

// Offer makes the viewer's description.
func (d *Direct) Offer() (string, error) {
	e := d.ether
	e.mu.Lock()
	defer e.mu.Unlock()
	cfg := e.cfg
	cfg.Seed += uint64(e.made)
	var m *Medium
	d.Carrier, _, m = Pair(cfg)
	e.media, e.made = append(e.media, m), e.made+1
	if e.cut {
		m.Cut()
	}
	description := fmt.Sprintf("offer %d", e.made)
	e.offers[description] = d
	return description, nil
}

// Answer makes the device's.
func (d *Direct) Answer(offer string) (string, error) {
	e := d.ether
	e.mu.Lock()
	defer e.mu.Unlock()
	offerer := e.offers[offer]
	if offerer == nil {
		return "", errOffer
	}
	delete(e.offers, offer)
	d.Carrier, d.ready = offerer.other, offerer.ready
	return "answer to " + offer, nil
}

// SetAnswer takes the device's description, and connects.
func (d *Direct) SetAnswer(string) error {
	go d.connect()
	return nil
}

// connect takes two round trips, if there is a way.
func (d *Direct) connect() {
	late := time.NewTimer(connectTime)
	defer late.Stop()
	for {
		d.ether.mu.Lock()
		cut, healed := d.ether.cut, d.ether.healed
		d.ether.mu.Unlock()
		if !cut {
			break
		}
		select {
		case <-healed:
		case <-late.C:
			d.medium.Break(errBlocked)
			return
		case <-d.life.Ending().Done():
			return
		}
	}
	time.Sleep(4 * d.ether.cfg.Delay)
	close(d.ready)
}

// AddCandidate takes anything.
func (d *Direct) AddCandidate(string, string) error { return nil }

// Ready is closed when the connection is open.
func (d *Direct) Ready() <-chan struct{} { return d.ready }

// Run implements carrier.Carrier.
func (d *Direct) Run(ctx context.Context, receive func(packet []byte)) error {
	if d.Carrier == nil {
		return errOffer
	}
	select {
	case <-d.ready:
	case <-ctx.Done():
		d.medium.Break(context.Cause(ctx))
	case <-d.life.Ending().Done():
	}
	return d.Carrier.Run(ctx, receive)
}

// Close implements carrier.Carrier. An end that was never made has nothing to close.
func (d *Direct) Close(code wire.Code, reason string) {
	if d.Carrier != nil {
		d.Carrier.Close(code, reason)
	}
}

// Break ends the connection at both ends, if there is one.
func (d *Direct) Break(why error) {
	d.ether.mu.Lock()
	defer d.ether.mu.Unlock()
	if d.Carrier != nil {
		d.medium.Break(why)
	}
}
