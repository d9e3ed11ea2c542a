package server

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"

	peersession "github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/room"
)

const (
	nonceBytes = 32
	// helloTime is how long a device may take to prove who it is.
	helloTime = 5 * time.Second
)

// device is a device's link: a client that first has to say hello.
type device struct {
	*client
	nonce   []byte
	session atomic.Pointer[room.Session] // nil before a good hello
	asked   time.Time                    // for its clock, last; owned by client.watch
	right   atomic.Bool                  // its clock, as measured last
}

// serveDevice serves a device's link until it is over.
func (s *Server) serveDevice(ctx context.Context, c *client) {
	d := &device{client: c, nonce: make([]byte, nonceBytes)}
	rand.Read(d.nonce) // never fails since Go 1.24
	c.handle, c.hear, c.silent = d.frame, d.heardOf, d.gone
	c.asks, c.echoed = d.asksClock, d.measureClock
	if c.posting { // its clock is ours
		c.hear, c.asks = nil, nil
	}
	late := time.AfterFunc(helloTime, d.late)
	defer late.Stop()
	c.tell(signal.Message{Type: signal.Challenge, Nonce: d.nonce, Server: s.cfg.Name, TLS: d.keyHash})
	c.run(ctx)
	d.gone()
}

// gone tells the room; of the link itself nothing is left to wait for.
func (d *device) gone() {
	session := d.session.Load()
	if session == nil {
		return
	}
	cause := room.Cut
	if !d.server.ready.Load() {
		cause = room.Drained
	}
	session.End(cause)
}

// heardOf keeps presence honest: a device that has nothing to publish still probes.
func (d *device) heardOf(now time.Time) {
	if session := d.session.Load(); session != nil {
		session.Heard(now)
	}
}

// asksClock is client.asks: once a keep alive until the clock is right. Then no more: it would cost who rests.
func (d *device) asksClock(now time.Time) bool {
	if d.session.Load() == nil || d.right.Load() || now.Sub(d.asked) < time.Duration(d.keepAlive.Load()) {
		return false
	}
	d.asked = now
	return true
}

// measureClock is client.echoed (section 3.5). Each measurement counts by itself: the clock may have been set since the one before.
func (d *device) measureClock(e wire.Echo, now time.Time) {
	var clock peersession.Clock
	clock.Sample(0, e.T1, e.T2, e.T3, uint64(max(now.UnixMicro(), 0)))
	ahead, err, ok := clock.Offset(0)
	if s := d.session.Load(); s != nil && ok && e.T1 != 0 {
		d.right.Store(s.Clock(time.Duration(ahead)*time.Microsecond, time.Duration(err)*time.Microsecond))
	}
}

func (d *device) late() {
	if d.session.Load() == nil {
		d.end(&room.Refusal{Code: "timeout", Reason: "no hello came within " + helloTime.String(), Remedy: "a device's token is for devices: watch with a viewer's token"})
	}
}

func (d *device) frame(f wire.Frame, now time.Time) *room.Refusal {
	if session := d.session.Load(); session != nil {
		return session.Handle(f, now)
	}
	if f.Type == wire.TypeSignal && f.Hop.Conn == 0 {
		d.hello(f.Body)
		return nil
	}
	return &room.Refusal{Code: "malformed", Reason: "a device's first frame must be its hello", Remedy: "see docs/protocol.md, section 6.1"}
}

// hello lets the device in, or ends the link.
func (d *device) hello(body []byte) {
	m, err := signal.Parse(body)
	if err != nil {
		d.end(&room.Refusal{Code: "malformed", Reason: err.Error(), Remedy: "see docs/protocol.md, section 6.1"})
		return
	}
	h, no := room.CheckHello(m, d.nonce)
	if no != nil {
		d.end(no)
		return
	}
	h.Host = d.host
	h.UDP = d.udp
	session, no := d.server.room.Join(h, d)
	if no != nil {
		d.end(no)
		return
	}
	d.keepAlive.Store(int64(h.KeepAlive))
	d.session.Store(session)
}
