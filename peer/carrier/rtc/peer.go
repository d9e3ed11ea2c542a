// Package rtc is the carrier over WebRTC data channels between viewer and
// device. A connection is of one of two kinds (protocol section 7.3): direct
// (rung `udp`, or `tcp` to a device that listens), or turned, through the TURN servers of both ends (rungs
// `turn-udp`, `turn-tcp`, `turn-tls`, by how this end reaches its own).
//
// Both ends create the same three channels with fixed numbers (protocol
// section 7.1), so that none has to be announced:
//
//	0 reliable   ordered, kept until it arrives    Signal, Call, Event
//	1 live       unordered, mended (package live)  Live
//	2 brief      unordered, repeated once          Probe, Echo, Ack, Gap, Receipt, Setpoint
//
// The viewer offers, the device answers and is DTLS client; descriptions and
// candidates travel through the server. Its words are an attacker's words:
// descriptions and candidates are checked against a short grammar before
// pion sees them.
//
//	p, err := rtc.NewOfferer(cfg, rtc.Events{Candidate: sendToOtherEnd})
//	sdp, err := p.Offer()           // send it, then
//	go p.Run(ctx, receive)          // candidates come from here on
//	err = p.SetAnswer(answer)       // and p.AddCandidate(…), as they come
//	<-p.Ready()                     // all three channels are open
//
// A Peer is one attempt. It does not repair itself: when the path dies a new
// one is built beside it (package ladder says when), because that works from
// every state, with every browser, and never takes a working path away.
package rtc

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Events are what a Peer tells its owner.
type Events struct {
	// Candidate is called for each own candidate that the description did not
	// hold, and with "" when there are no more; from one goroutine, while Run
	// runs.
	Candidate func(candidate, mid string)
}

// Peer is one end of a data-channel connection between a viewer and a device,
// or between either and the server.
type Peer struct {
	// set once
	cfg    Config
	log    *slog.Logger
	on     Events
	pc     *webrtc.PeerConnection
	buffer *carrier.Buffer
	ready  chan struct{} // closed when all channels are open
	said   chan struct{} // closed when the reliable channel's writer has said its last word
	life   *carrier.Life
	local  trickle
	remote remoteCandidates
	early  early
	relays *relayDialer
	flow   *carrier.Flow // where TCP may carry: see bounded
	turns  turns
	live   *liveEnds // where only UDP does

	mu       sync.Mutex
	channels [channelCount]*channel // guarded by mu until ready
	open     int                    // guarded by mu

	receiving      sync.Mutex   // held while receive is called
	rung           atomic.Int32 // a ladder.Rung
	relayed        atomic.Bool  // a TURN server has given us an address
	pair           atomic.Pointer[string]
	from           atomic.Pointer[netip.Addr]
	sent, received carrier.Counter
}

// NewOfferer makes the viewer's end.
func NewOfferer(cfg Config, on Events) (*Peer, error) { return newPeer(cfg, on) }

// NewAnswerer makes the device's end.
func NewAnswerer(cfg Config, on Events) (*Peer, error) { return newPeer(cfg, on) }

func newPeer(cfg Config, on Events) (*Peer, error) {
	cfg = cfg.orDefault()
	p := unconnected(cfg, on)
	s := cfg.settings(p.relays)
	s.SetICEBindingRequestHandler(p.early.take)
	return p.connect(apiWith(s))
}

func unconnected(cfg Config, on Events) *Peer {
	p := &Peer{cfg: cfg, log: cfg.Log, on: on, ready: make(chan struct{}), said: make(chan struct{}), flow: carrier.NewChannelFlow()}
	p.buffer = carrier.NewBuffer(cfg.Limits, laneSets()...)
	p.live = newLive()
	p.live.w.peer = p
	p.local.bell, p.local.delays = make(chan struct{}, 1), cfg.listens()
	p.life = carrier.NewLife(p.buffer, p.serve)
	p.relays = &relayDialer{cfg: cfg, life: p.life.Ending(), ends: map[string]relayEnd{}}
	p.rung.Store(int32(cfg.firstRung()))
	return p
}

// connect makes pion's part. It returns p.
func (p *Peer) connect(api *webrtc.API) (*Peer, error) {
	var err error
	if p.pc, err = api.NewPeerConnection(p.cfg.connection(p.relays)); err != nil {
		return nil, fmt.Errorf("make a peer connection: %w", err)
	}
	p.listen()
	if err := p.makeChannels(); err != nil {
		p.shut()
		return nil, fmt.Errorf("make the data channels: %w", err)
	}
	return p, nil
}

// listen connects pion's events.
func (p *Peer) listen() {
	p.pc.OnICECandidate(p.found)
	p.pc.OnConnectionStateChange(p.stateChanged)
	p.pc.OnICEConnectionStateChange(p.boundChecking)
	p.pc.OnDataChannel(func(*webrtc.DataChannel) { p.life.Stop(errExtraChannel) })
	p.pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(p.pairChanged)
}

// found takes a candidate of our own.
func (p *Peer) found(c *webrtc.ICECandidate) {
	switch {
	case c == nil:
	case c.Typ == webrtc.ICECandidateTypeRelay:
		p.relayed.Store(true)
	case c.TCPType == "active":
		return // it says nothing: who listens learns from where we come
	}
	p.local.add(c)
}

// Ready is closed when all three channels are open.
func (p *Peer) Ready() <-chan struct{} { return p.ready }

// Bound sets the bounds of the queue, before the first Send; zero bounds are the defaults.
func (p *Peer) Bound(limits carrier.Limits) { p.buffer.Bound(limits) }

// Send implements carrier.Carrier. Frames sent before Ready wait.
//
// A short frame that may go twice is on the brief channel as well: SCTP repeats what was lost on the reliable one after a
// second (RFC 9260, section 6.3.1), behind which all that follows waits there, and a call may be worth nothing by then.
//
// An eager frame is written here if it goes on the Live or the brief channel: it is what ages.
func (p *Peer) Send(f carrier.Frame) bool {
	taken := false
	if f.Twice && len(f.Bytes) <= wire.MaxLiveData {
		brief := f
		brief.Control = true
		taken = p.sendOnce(brief)
	}
	return p.sendOnce(f) || taken
}

func (p *Peer) sendOnce(f carrier.Frame) bool {
	switch lane := f.Lane(); {
	case f.Eager && table[liveChannel].lanes.Has(lane):
		return p.sendEagerly(f, liveChannel, p.live.w.eagerly)
	case f.Eager && table[briefChannel].lanes.Has(lane):
		return p.sendEagerly(f, briefChannel, p.briefly)
	}
	return p.buffer.Send(f)
}

// sendEagerly queues f for a channel and has it written at once, or by the channel's own goroutine.
func (p *Peer) sendEagerly(f carrier.Frame, channel int, write func() (done bool)) bool {
	if !p.buffer.Push(f) {
		return false
	}
	if !write() {
		p.buffer.Tap(channel).Wake()
	}
	return true
}

// Rung implements carrier.Carrier.
func (p *Peer) Rung() ladder.Rung { return ladder.Rung(p.rung.Load()) }

// Pair describes the addresses in use for people, "" if there are none yet.
func (p *Peer) Pair() string {
	if s := p.pair.Load(); s != nil {
		return *s
	}
	return ""
}

// LocalAddr is this machine's address that packets are sent from; invalid: not known.
func (p *Peer) LocalAddr() (addr netip.Addr) {
	if from := p.from.Load(); from != nil {
		addr = *from
	}
	return addr
}

// Stats implements carrier.Carrier.
func (p *Peer) Stats() carrier.Stats {
	queued, drops := p.buffer.Snapshot()
	drops[carrier.Deadline] += p.live.late()
	return carrier.Stats{Queued: queued, Drops: drops, Sent: p.sent.Traffic(), Received: p.received.Traffic()}
}

// Run implements carrier.Carrier. The other end learns of an ending, but not
// its code, unless one of the two is the server: there it is said as section 6.7
// has it, because a link's codes say when to come again.
func (p *Peer) Run(ctx context.Context, receive func(packet []byte)) error {
	return p.life.Run(ctx, receive)
}

// serve moves packets until the connection ends, and closes it.
func (p *Peer) serve(receive func(packet []byte)) {
	var tasks sync.WaitGroup
	tasks.Go(func() { p.local.run(p.life.Ending(), p.on.Candidate) })
	select {
	case <-p.ready:
	case <-p.life.Ending().Done():
	}
	if p.isReady() {
		p.pump(&tasks, receive)
	}
	<-p.life.Ending().Done()
	p.flush()
	p.shut()
	tasks.Wait()
}

func (p *Peer) isReady() bool { return closed(p.ready) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Close implements carrier.Carrier.
func (p *Peer) Close(code wire.Code, reason string) { p.life.Close(code, reason) }

// ours says that the ending is our own wish.
func (p *Peer) ours() bool {
	switch p.life.Cause().(type) {
	case *carrier.CloseError, carrier.Left:
		return true
	}
	return false
}

// closeTime bounds the closing of a connection, which waits for pion's
// goroutines: some of them wait for the network.
const closeTime = 400 * time.Millisecond

// shut closes the connection and waits until nothing of it runs.
func (p *Peer) shut() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if err := p.pc.GracefulClose(); err != nil {
			p.log.Debug("closing a peer connection", "error", err)
		}
	}()
	select {
	case <-closed:
	case <-time.After(closeTime):
		p.log.Debug("a peer connection takes its time to close")
	}
}

var _ carrier.Carrier = (*Peer)(nil)
