package server

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/relay"
	"github.com/telepath-iot/telepath/signaling/room"
)

// client is one link: what those of devices and viewers have in common.
type client struct {
	// Set once, before run.
	server  *Server
	carrier carrier.Carrier
	role    auth.Role
	from    string
	host    string  // by which it reached this server; empty: a device in this process
	keyHash []byte  // of the certificate that its end was shown, as far as we know
	udp     *uint16 // what its welcome says of the UDP port
	handle  func(f wire.Frame, now time.Time) *room.Refusal
	hear    func(now time.Time)                 // called for whatever comes, a probe too; may be nil
	posting bool                                // a device in this process: it is heard of by its posts, not by its link
	asks    func(now time.Time) bool            // reports whether a probe is to be sent for its echo; may be nil
	echoed  func(echo wire.Echo, now time.Time) // called with the echo of a probe; may be nil
	silent  func()                              // called when nothing was heard for too long, before the link is closed; may be nil
	expires time.Time                           // when the session is over that the link was made with; zero: never
	expired func()                              // called then, before the link is closed; may be nil
	budget  *rate.Limiter
	faults  *rate.Limiter
	replies *rate.Limiter

	keepAlive atomic.Int64 // time.Duration
	heard     room.Instant
	shed      atomic.Bool // it is being closed for what waits for it

	// Owned by keepShedding.
	sentThen uint64      // bytes that had been sent when it was looked at last
	movedAt  time.Time   // when that was seen to change
	sent     atomic.Bool // something was sent since the last look

	// Owned by run.
	ctx    context.Context
	probes uint64
}

// faultReplies is how often a link is told what is wrong with its frames, a second.
const faultReplies = 5

func newClient(s *Server, c carrier.Carrier, role auth.Role, from string) *client {
	bytes := s.cfg.Limits.ViewerBytesPerSecond
	if role == auth.Device {
		bytes = s.cfg.Limits.DeviceBytesPerSecond
	}
	cl := &client{
		server: s, carrier: c, role: role, from: from,
		budget:  rate.NewLimiter(rate.Limit(bytes), max(bytes, wire.MaxPacket)),
		faults:  rate.NewLimiter(1, s.cfg.Limits.MalformedBurst),
		replies: rate.NewLimiter(faultReplies, faultReplies),
	}
	cl.keepAlive.Store(int64(room.DefaultKeepAlive))
	cl.heard.Begin(time.Now())
	return cl
}

// Send implements room.Link.
func (c *client) Send(f carrier.Frame) bool {
	if !c.sent.Load() { // a store for every frame would make the cores fight for it
		c.sent.Store(true)
	}
	return c.carrier.Send(f)
}

// Close implements room.Link.
func (c *client) Close(code wire.Code, reason string) { c.carrier.Close(code, reason) }

func (c *client) tell(m signal.Message) { room.Tell(c, 0, m) }

// run serves the link until it is over.
func (c *client) run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c.ctx = ctx
	if !c.server.clients.add(c) {
		c.end(&room.Refusal{Code: "draining", Reason: "this server is going down"})
	}
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		c.watch(ctx)
	}()
	err := c.carrier.Run(ctx, c.receive)
	stop()
	<-watching
	c.server.clients.remove(c)
	c.server.counts.ended(c.carrier.Stats())
	c.server.cfg.Log.Debug("link over", "role", c.role, "rung", c.carrier.Rung().String(), "from", c.from, "why", err)
}

// receive takes a packet. A frame that is wrong harms nothing but itself.
func (c *client) receive(packet []byte) {
	now := time.Now()
	c.heard.Set(now)
	if c.hear != nil {
		c.hear(now)
	}
	c.pay(len(packet), c.takeApart(packet, now))
}

// takeApart handles a packet's frames and returns how many there were.
func (c *client) takeApart(packet []byte, now time.Time) (frames int) {
	for f, err := range wire.Frames(packet) {
		frames++
		no := unreadable(err)
		if err == nil {
			no = c.frame(f, now)
		}
		if no != nil {
			c.fault(no)
		}
	}
	return frames
}

// unreadable is what is said of a frame that cannot even be taken out of its packet; nil if it could.
func unreadable(err error) *room.Refusal {
	if err == nil {
		return nil
	}
	return &room.Refusal{Code: "malformed", Reason: "a frame cannot be read: " + err.Error(), Remedy: "see docs/protocol.md, section 3"}
}

// frameCost is what a frame counts for at least, in bytes: many tiny ones cost
// the work of many.
const frameCost = 256

// pay waits until the budget allows for what was taken: the link is read slower.
func (c *client) pay(bytes, frames int) {
	cost := min(max(bytes, frames*frameCost), c.budget.Burst())
	_ = c.budget.WaitN(c.ctx, cost) // an error says that the link is over
}

func (c *client) frame(f wire.Frame, now time.Time) *room.Refusal {
	if f.Hop.Conn == 0 {
		switch f.Type {
		case wire.TypeProbe:
			return c.echo(f, now)
		case wire.TypeEcho:
			return c.takeEcho(f, now)
		}
	}
	return c.handle(f, now)
}

func (c *client) echo(f wire.Frame, now time.Time) *room.Refusal {
	if err := relay.Echo(c, f.Body, now); err != nil {
		return &room.Refusal{Code: "malformed", Reason: "probe: " + err.Error(), Remedy: "see docs/protocol.md, section 3.5"}
	}
	return nil
}

// takeEcho: of most being heard is all that we want.
func (c *client) takeEcho(f wire.Frame, now time.Time) *room.Refusal {
	if c.echoed == nil {
		return nil
	}
	echo, err := wire.ParseEcho(f.Body)
	if err != nil {
		return &room.Refusal{Code: "malformed", Reason: "echo: " + err.Error(), Remedy: "see docs/protocol.md, section 3.5"}
	}
	if echo.ID < carrier.FirstMark {
		c.echoed(echo, now)
	}
	return nil
}

// fault counts a frame that was refused, tells its sender, and ends a link
// that sends nothing but faults.
func (c *client) fault(no *room.Refusal) {
	if no.Final {
		c.end(no)
		return
	}
	c.server.counts.refused(no.Code)
	if c.replies.Allow() {
		c.tell(no.Message(signal.Refuse))
	}
	if !no.Soft && !c.faults.Allow() {
		c.Close(no.WireCode(), "too many frames were refused, at last: "+no.Reason)
	}
}

const (
	// deadAfterHalves is how many keep alives without a word end a link (section 6.2), times two.
	deadAfterHalves = 3
	// lookEvery is how often a link is looked after, at least; one of a short keep alive three times in it.
	lookEvery = 5 * time.Second
)

// watch keeps the link alive, and ends it when nothing comes.
func (c *client) watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	said := time.Now() // when a look found that something was sent
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now, keepAlive := time.Now(), time.Duration(c.keepAlive.Load())
		left := c.heard.Get().Add(keepAlive * deadAfterHalves / 2).Sub(now)
		if left <= 0 {
			c.cut()
			return
		}
		if !c.expires.IsZero() {
			if !now.Before(c.expires) {
				c.expire()
				return
			}
			left = min(left, c.expires.Sub(now))
		}
		every := min(keepAlive/3, lookEvery)
		switch {
		case c.asks != nil && c.asks(now):
			c.probe()
			said = now
		case c.sent.Swap(false):
			said = now
		case now.Sub(said) >= quietFor(keepAlive, every):
			c.probe()
			said = now
		}
		timer.Reset(min(left, every))
	}
}

// quietFor is how long the server says nothing by itself, from a look that found something sent. It was sent up to a look
// before that, and what is due now is sent at the next one: so a keep alive has two more looks than that.
func quietFor(keepAlive, every time.Duration) time.Duration { return keepAlive - 2*every }

func (c *client) probe() {
	c.probes++
	p := wire.AppendProbe(nil, wire.Hop{}, wire.Probe{ID: c.probes, Heard: true, T1: nowMicros()})
	c.carrier.Send(carrier.Frame{Bytes: p, Control: true})
}

// cut ends a link that fell silent. What depends on it must not wait for the
// socket, which nobody may be listening to.
func (c *client) cut() {
	if c.silent != nil {
		c.silent()
	}
	c.Close(wire.CodeByName("silent"), "nothing came for 1.5 keep alives")
}

// expire ends a link whose session is over, and could not make a new one.
func (c *client) expire() {
	if c.expired != nil {
		c.expired()
	}
	c.end(&room.Refusal{Code: "unauthorized", Reason: "the session is over", Remedy: "log in again"})
}
