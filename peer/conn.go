package peer

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
)

// ViewConfig says what to watch.
type ViewConfig struct {
	Endpoint  Endpoint
	Device    string        // name or id
	Want      []string      // globs of stream names; none: all
	From      string        // head (default), start or EPOCH:SEQ: where streams of class Event begin
	KeepAlive time.Duration // default DefaultKeepAlive
	RTC       rtc.Config
	NoDirect  bool          // stay on the relay
	Since     time.Duration // how much of the past is wanted, from the device's spool, and to fill what an outage tears; default: nothing
	Events    Events

	// NewestTime reads the time of the last sample in a payload of count samples, µs on the device's clock; false: it has none. With it,
	// Live samples that come behind their deadline are dropped and counted. Default: none, what comes is delivered.
	NewestTime func(payload []byte, count int) (t int64, ok bool)
}

// Conn is a viewer's relation to one device. It outlives links and paths.
type Conn struct {
	cfg     ViewConfig // set once
	id      string
	loop    *loop
	meter   meter
	orders  orders
	reached atomic.Int64            // ns: the round trip of the best path; 0: not measured, negative: there is no path
	nearest atomic.Int64            // ns: the smallest of its latest round trips; 0: none
	tasks   sync.WaitGroup          // of data-channel connections
	end     context.CancelCauseFunc // of Run, set when it begins

	offerMade chan struct{} // closed when the first attempt has its offer, or never will

	// Owned by the loop.
	own      ownClock
	link     *link
	paths    *paths
	relay    *leg // while the device is known to be at the other end of the link
	lastLeg  int
	accepted bool // by the device, on this link and in this session of it, at joinedAt
	joinedAt time.Duration
	epoch    uint32
	revision uint64 // in epoch: the descriptions up to it are there
	older    uint32 // the epoch before: what comes late of it is no reason to ask
	device   signal.Device
	streams  map[uint32]*subscription
	events   []*subscription // those of class Event that are received
	early    *session.Early  // what they hold, in this epoch
	asked    bool            // an open went out on this link, or in the request for it
	opens    int             // sent without accept
	openAt   time.Duration   // when to send the next
	askedAt  time.Duration   // last open because of an unknown stream
	settleAt time.Duration   // when what a goodbye overtook must have come; 0: nothing to settle
	attempts attempts
	climbs   [kinds]climb
	relayed  bool            // the device has no direct paths
	turnable bool            // the device can make turned connections
	servers  []signal.Server // TURN servers, as the server told last: at toldAt
	toldAt   time.Duration
	standing time.Duration // since when a direct connection works without a break
	newsAt   time.Duration // when news came on the link last
	lacking  time.Duration // when one worked last, or the device accepted us without
	path     Path
	pings    map[uint64]chan<- Reply
	told     bool // of frames that cannot be read
	past     pastView
}

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
	if cfg.RTC.Log == nil {
		cfg.RTC.Log = cfg.Endpoint.Log
	}
	cfg.NoDirect = cfg.NoDirect || !cfg.Endpoint.mayTurn() && !cfg.Endpoint.may(ladder.UDP)
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	c := &Conn{
		cfg: cfg, id: id.String(), loop: newLoop(), own: newOwnClock(), streams: map[uint32]*subscription{},
		early: session.NewEarly(0), past: newPastView(), pings: map[uint64]chan<- Reply{}, offerMade: make(chan struct{}),
	}
	c.paths = newPaths(c.own.now)
	c.reached.Store(-1)
	c.paths.onEcho = c.echoed
	c.attempts = attempts{
		loop: c.loop, conn: c, config: c.rtcConfig, direct: newRTC, meter: &c.meter, tasks: &c.tasks, nextID: c.nextLeg,
		signal: c.throughServer, ready: c.climbed, over: c.fell, prepared: c.prepared, receiver: c.loop.receiver,
	}
	if c.link, err = newLink(cfg.Endpoint, c.loop, &c.meter, cfg.KeepAlive); err != nil {
		return nil, err
	}
	c.link.onSettled, c.link.carries = c.askAgain, c.needsLink
	c.link.first, c.link.onUp, c.link.onMoved, c.link.onDown, c.link.onNetwork = c.firstOpen, c.linkUp, c.linkMoved, c.linkDown, c.networkChanged
	return c, nil
}

// Run receives until ctx ends (nil), or the server or the device refuses for
// good: a *RefusedError. It is called once; no callback comes after it has returned.
func (c *Conn) Run(ctx context.Context) error {
	inner, end := context.WithCancelCause(context.WithoutCancel(ctx))
	c.end = end
	defer end(nil)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		if err := c.link.keep(inner); inner.Err() == nil {
			end(err)
		}
	})
	tasks.Go(func() {
		select {
		case <-ctx.Done():
			c.loop.ask(inner, c.leave)
			end(nil)
		case <-inner.Done():
		}
	})
	c.paths.ladder.Watch(0, true)
	if c.allows(directly) {
		c.beginAttempt(c.loop.now(), directly)
	} else {
		close(c.offerMade)
	}
	c.loop.run(inner, c.handle, c.step)
	c.attempts.closeAll()
	tasks.Wait()
	c.tasks.Wait()
	var refused *RefusedError
	if err := context.Cause(inner); errors.As(err, &refused) {
		return err
	}
	return nil
}

// rtcConfig is that of a connection that is begun now.
func (c *Conn) rtcConfig(k kind) rtc.Config {
	cfg := c.cfg.RTC
	cfg.Window = viewerWindow
	cfg.DialTCP = c.cfg.Endpoint.may(ladder.TCP) && !c.lacksUDP(k) // what is there over TCP needs one over UDP
	servers := c.servers
	if k == turned && c.lacksUDP(k) {
		servers = overUDP(servers)
	}
	return c.link.rtcConfig(cfg, k, servers)
}

// leave tells the device that the Conn is over.
func (c *Conn) leave() {
	m := signal.Message{Type: signal.Close}
	if c.link.leg != nil {
		c.link.signal(viewNumber, m)
	}
	f, err := signalFrame(0, m)
	for _, g := range c.paths.use {
		if err == nil && g.direct() {
			g.send(f)
		}
	}
}

func (c *Conn) nextLeg() int {
	c.lastLeg++
	return c.lastLeg
}

// target is the device's id once it is known: a name may change its bearer.
func (c *Conn) target() json.RawMessage {
	name := c.cfg.Device
	if c.device.ID != "" {
		name = c.device.ID
	}
	b, _ := json.Marshal(name) // a string always encodes
	return b
}
