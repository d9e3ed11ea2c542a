package peer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// ViewConfig says what to watch.
type ViewConfig struct {
	Endpoint  Endpoint
	Device    string        // name or id
	Want      []string      // globs of stream names; none: all
	From      string        // head (default), start or EPOCH:SEQ: where streams of class Event begin
	KeepAlive time.Duration // default DefaultKeepAlive
	RTC       rtc.Config
	NoDirect  bool // stay on the relay
	Events    Events
}

// Conn is a viewer's relation to one device. It outlives links and paths.
type Conn struct {
	cfg   ViewConfig // set once
	id    string
	loop  *loop
	tasks sync.WaitGroup          // of data-channel connections
	end   context.CancelCauseFunc // of Run, set when it begins

	offerMade chan struct{} // closed when the first attempt has its offer, or never will

	// Owned by the loop.
	link     *link
	paths    *paths
	relay    *leg // while the device is known to be at the other end of the link
	lastLeg  int
	accepted bool // by the device, on this link and in this session of it
	epoch    uint32
	device   signal.Device
	streams  map[uint32]*subscription
	opens    int           // sent without accept
	openAt   time.Duration // when to send the next
	askedAt  time.Duration // last open because of an unknown stream
	attempts attempts
	climb    climb
	path     Path
	wills    map[willKey]bool // delivered
	pings    map[uint64]chan<- Reply
}

// subscription is one stream at the viewer.
type subscription struct {
	signal.Stream
	class wire.Class
	inbox *session.Inbox // nil until the device has told epoch and start
	epoch uint32         // of inbox
	out   []session.Delivery
	via   *leg // the leg that data came on last
	asked bool // a start was told before
	ended bool // the device said where the epoch ends
}

type willKey struct{ stream, epoch uint32 }

// number of the one Conn on a viewer's link (protocol, section 6.1).
const viewNumber = 1

// Dial prepares a Conn. Nothing is sent before Run.
func Dial(cfg ViewConfig) (*Conn, error) {
	if cfg.Device == "" {
		return nil, errors.New("peer: no device named")
	}
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = DefaultKeepAlive
	}
	url, err := cfg.Endpoint.linkURL()
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	c := &Conn{
		cfg: cfg, id: id.String(), loop: newLoop(), paths: newPaths(time.Now),
		streams: map[uint32]*subscription{}, wills: map[willKey]bool{},
		pings: map[uint64]chan<- Reply{}, offerMade: make(chan struct{}),
	}
	c.paths.onEcho = c.echoed
	c.attempts = attempts{
		loop: c.loop, conn: c, rtc: cfg.RTC, nextID: c.nextLeg, tasks: &c.tasks,
		signal: c.throughServer, ready: c.climbed, over: c.fell, prepared: c.prepared,
	}
	c.link = &link{
		endpoint: cfg.Endpoint, url: url, loop: c.loop, keepAlive: cfg.KeepAlive,
		first: c.firstOpen, onUp: c.linkUp, onDown: c.linkDown,
	}
	return c, nil
}

// Run receives until ctx ends (nil), or the server or the device refuses for
// good: a *RefusedError.
func (c *Conn) Run(ctx context.Context) error {
	inner, end := context.WithCancelCause(ctx)
	c.end = end
	defer end(nil)
	var keeping sync.WaitGroup
	keeping.Go(func() {
		if err := c.link.keep(inner); err != nil {
			end(err)
		}
	})
	c.paths.ladder.Watch(0, true)
	if c.cfg.NoDirect {
		close(c.offerMade)
	} else {
		c.beginAttempt(c.loop.now())
	}
	c.loop.run(inner, c.handle, c.step)
	c.attempts.closeAll()
	keeping.Wait()
	c.tasks.Wait()
	var refused *RefusedError
	if err := context.Cause(inner); errors.As(err, &refused) {
		return err
	}
	return nil
}

func (c *Conn) nextLeg() int {
	c.lastLeg++
	return c.lastLeg
}

func (c *Conn) handle(from *leg, packet []byte) {
	now := c.loop.now()
	direct := from.conn == c
	for len(packet) > 0 {
		f, rest, err := wire.NextFrame(packet)
		if err != nil {
			c.cfg.Endpoint.log().Debug("malformed packet", "err", err)
			return
		}
		packet = rest
		switch {
		case direct:
			c.frame(now, from, f)
		case c.link.leg != from: // of a link that is over
		case !c.link.heard(now, f):
			c.frame(now, c.relay, f)
		}
	}
}

// frame takes one frame; g is nil while the device has not answered on the link.
func (c *Conn) frame(now time.Duration, g *leg, f wire.Frame) {
	fromDevice := f.Type != wire.TypeSignal && !f.Hop.Retained
	if g != nil && fromDevice && c.paths.heard(now, g, f) {
		return
	}
	switch f.Type {
	case wire.TypeData:
		c.data(now, g, f)
	case wire.TypeGap:
		c.gap(now, f.Body)
	case wire.TypeSignal:
		m, err := signal.Parse(f.Body)
		if err != nil {
			c.cfg.Endpoint.log().Warn("bad signal", "err", err)
			return
		}
		c.signal(now, m)
	}
}

// rung of a leg; what the server sends itself came on the link.
func (c *Conn) rung(g *leg) ladder.Rung {
	if g == nil {
		return ladder.WS
	}
	return g.carrier.Rung()
}

func (c *Conn) step(now time.Duration) (wake time.Duration) {
	wake = c.link.step(now)
	added, _ := c.paths.step(now)
	wake = min(wake, c.paths.decision.Wake)
	wake = min(wake, c.reopen(now), c.acknowledge(now, len(added) > 0), c.climbStep(now))
	c.provedDirect()
	c.tellPath()
	return wake
}

// tellPath reports a change of the path in use. Of two, the sound one is the one that carries, whatever its rung.
func (c *Conn) tellPath() {
	p := Path{Reason: c.why()}
	carrying := c.paths.carrying()
	for _, g := range c.paths.use {
		if g == carrying {
			p.Rung, p.OK = g.carrier.Rung(), true
		} else {
			p.Beside, p.Both = g.carrier.Rung(), true
		}
	}
	if p == c.path {
		return
	}
	c.path = p
	if c.cfg.Events.Path != nil {
		c.cfg.Events.Path(p)
	}
}

// why this path and no better one, in plain words.
func (c *Conn) why() string {
	use := c.paths.use
	switch {
	case len(use) == 0 && c.link.leg == nil:
		return "no connection to the server"
	case len(use) == 0 && c.device.State == signal.StateOffline:
		return "the device is offline"
	case len(use) == 1 && use[0] == c.relay && c.cfg.NoDirect:
		return "a direct path was not asked for"
	case len(use) == 1 && use[0] == c.relay && c.climb.why != nil:
		return "no direct path: " + c.climb.why.Error()
	}
	return c.paths.decision.Reason
}

// Clock is the device's clock minus ours, ± the error; false while unknown.
// For use in callbacks only.
func (c *Conn) Clock() (offset, err time.Duration, known bool) {
	o, e, known := c.paths.clock.Offset(c.loop.now())
	return time.Duration(o) * time.Microsecond, time.Duration(e) * time.Microsecond, known
}
