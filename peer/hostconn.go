package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// awayMax is how long a Conn without any path is kept, for a viewer who comes back.
	awayMax = 60 * time.Second
	// retryEvery is how often a viewer is asked for a new attempt at most.
	retryEvery = 5 * time.Second
	// lapseTime is how long a server may have the device in without letting a Conn's open through. An honest viewer's comes within seconds; of one
	// that does not come the authority may have been taken away.
	lapseTime = 60 * time.Second
)

// hostConn is the device's end of one Conn. It is owned by the Host's loop.
type hostConn struct {
	host   *Host
	id     string
	over   bool
	number uint64 // on the present link; 0 while there is none
	want   []string
	wanted map[uint32]bool // by stream: what want says, worked out once
	from   string
	opened bool // on the present link
	older  bool // it watched an earlier run of this program, and may want the rest of that first: streams begin with their first sample

	paths    *paths
	relay    *leg          // nil while the viewer's or our link is away
	lonely   time.Duration // when it had a path last
	unknown  time.Duration // while not opened: Host.isIn when its link ended
	until    time.Duration // when what the server let it do and see ends; 0: not by itself
	flight   *session.Flight
	outboxes map[uint32]*session.Outbox // of the Event streams it wants
	routed   map[uint32]bool            // streams whose shared frames the relay copies to this Conn
	attempts attempts
	servers  []signal.Server // TURN servers, as the server told last
	opens    budget
	asks     budget // for the past
	offers   budget
	retryAt  [kinds]time.Duration // ask for a new attempt not before
	asked    [kinds]bool          // for one because of our network, and none has come
	dropped  uint64               // of Live, before its direct paths, when that was asked last
	jammed   time.Duration        // until when no path has room for Events
	early    time.Duration        // until when Live goes on a connection that is not proved
	past     *transfer            // what of the past it is sent; nil: nothing
	pace     session.Pace         // of the past, on the path in use: of this transfer, and of the next
	operator operator
}

func (h *Host) newConn(now time.Duration, id string) *hostConn {
	c := &hostConn{
		host: h, id: id, paths: newPaths(h.cfg.Clock), lonely: now, flight: session.NewFlight(0), pace: session.NewPace(h.cfg.PastShare),
		outboxes: map[uint32]*session.Outbox{}, routed: map[uint32]bool{},
		opens:  budget{rate: reopenRate, burst: reopenBurst},
		asks:   budget{rate: pastRate, burst: pastBurst},
		offers: budget{rate: offerRate, burst: offerBurst},
	}
	c.operator = operator{host: h, conn: c, id: id, left: budget{rate: refusalRate, burst: refusalBurst}}
	c.attempts = attempts{
		loop: h.loop, conn: c, config: c.rtcConfig, direct: h.direct, meter: &h.meter, tasks: &h.tasks, nextID: h.nextLeg,
		signal: c.throughServer, ready: c.climbed, over: c.fell,
		receiver: func(g *leg) func([]byte) { return throttled(h.loop.receiver(g), h.loop.now) },
	}
	c.paths.onEcho = c.measuredPast
	c.paths.ladder.Watch(now, true)
	h.conns[id] = c
	h.storeAt = min(h.storeAt, now+storeEvery) // a rest is over
	return c
}

// bind makes the link a leg of the Conn, under that number.
func (c *hostConn) bind(now time.Duration, number uint64) {
	if c.relay != nil && c.number == number {
		return // it asks again, and stands as it stood
	}
	c.unbind(now)
	if older := c.host.numbers[number]; older != nil {
		older.unbind(now)
	}
	c.number = number
	c.host.numbers[number] = c
	c.paths.suspect(now) // what took the link that was may have taken them, too
	c.relay = &leg{id: c.host.nextLeg(), carrier: c.host.link.leg.carrier, number: number, conn: c}
	if c.host.cfg.Endpoint.may(c.relay.carrier.Rung()) {
		c.paths.up(now, c.relay)
	}
	// That the viewer's open came and the server took ours is the first proof (protocol, 7.2).
	c.paths.prove(now, c.relay)
}

// unbind takes the link away from the Conn.
func (c *hostConn) unbind(now time.Duration) {
	if c.relay == nil {
		return
	}
	c.paths.down(now, c.relay)
	delete(c.host.numbers, c.number)
	c.relay, c.number = nil, 0
	clear(c.routed)
}

// end gives up everything the Conn holds.
func (c *hostConn) end() {
	c.over = true
	c.endPast()
	c.operatorGone()
	c.attempts.closeAll()
	delete(c.host.conns, c.id)
	if c.relay != nil {
		delete(c.host.numbers, c.number)
	}
	c.host.cfg.Endpoint.log().Info("viewer left", "conn", c.id)
	c.host.tellState()
}

// throughServer sends a signal to the viewer on the link.
func (c *hostConn) throughServer(m signal.Message) bool {
	return c.relay != nil && c.answer(m)
}

// answer is throughServer for a Conn that has its number.
func (c *hostConn) answer(m signal.Message) bool {
	return c.host.link.answer(c.number, rpc.MayOperate(c.operator.Role()), m)
}

// tell sends a signal on the link, if there is one, and on all other paths in use.
func (c *hostConn) tell(m signal.Message) {
	if c.relay != nil { // nobody has asked for it, so nobody would again
		c.host.link.signal(c.number, m)
	}
	f, err := signalFrame(0, m)
	if err != nil {
		return // throughServer has said so
	}
	for _, g := range c.paths.use {
		if g.direct() {
			g.send(f)
		}
	}
}

// frame takes a frame of the viewer that came on g.
func (c *hostConn) frame(now time.Duration, g *leg, f wire.Frame) error {
	if c.over {
		return nil
	}
	if done, err := c.paths.heard(now, g, f); done {
		return err
	}
	switch f.Type {
	case wire.TypeAck:
		return c.acked(now, f.Body)
	case wire.TypeCommand:
		return c.command(now, f.Body)
	case wire.TypeDrive:
		c.drive(f.Body)
	case wire.TypeSignal: // on a direct path: through the server, they come to relayedSignal
		m, err := signal.Parse(f.Body)
		if err == nil && m.Type == signal.Close {
			c.end()
		}
		return err
	}
	return nil
}

func (c *hostConn) acked(now time.Duration, body []byte) error {
	_, positions, err := wire.ParseAck(body)
	c.flight.Elsewhere(c.past != nil)
	for _, p := range positions {
		if p.Stream == wire.HistoryStream {
			c.ackedPast(now, p)
		}
		if o := c.outboxes[p.Stream]; o != nil && p.Epoch == c.host.epoch {
			o.Ack(now, p)
		}
	}
	return err
}

// relayedSignal takes what the viewer, or the server about it, says on the link.
func (c *hostConn) relayedSignal(now time.Duration, m signal.Message) {
	switch m.Type {
	case signal.Offer:
		c.offered(now, kindOf(m), m.Attempt, m.SDP)
	case signal.Candidate:
		c.attempts.fromRemote(m)
	case signal.Away:
		c.unbind(now)
	case signal.Close:
		c.end()
	case signal.History:
		c.askedPast(m)
	}
}

// offered answers a viewer's offer. One that was answered already comes again
// when the answer may be lost with a link.
func (c *hostConn) offered(now time.Duration, k kind, number uint64, sdp string) {
	if !c.allows(k) {
		return
	}
	if t := c.attempts.byNumber(number); t != nil {
		c.attempts.again(t)
		return
	}
	if number > c.attempts.last[k] && c.offers.take(now, 1) {
		c.asked[k] = false
		c.attempts.begin(k, number, answer(number, sdp))
	}
}

// allows reports whether connections of a kind can be made.
func (c *hostConn) allows(k kind) bool {
	if k == turned {
		return len(c.host.cfg.Endpoint.turnServers(c.servers)) > 0
	}
	return c.host.cfg.Endpoint.mayDirect(c.host.cfg.RTC.Listener != nil)
}

func (c *hostConn) rtcConfig(k kind) rtc.Config {
	cfg := c.host.cfg.RTC
	if !c.host.cfg.Endpoint.mayListen() {
		cfg.Listener = nil
	}
	return c.host.link.rtcConfig(cfg, k, c.servers)
}

// climbed: a data-channel connection is open and wants to be proved.
func (c *hostConn) climbed(now time.Duration, t *attempt) {
	c.paths.up(now, t.leg)
	c.early = now + earlyTime
	c.host.cfg.OnWay()
	c.host.cfg.Endpoint.log().Info("data channels open", "conn", c.id, "kind", t.kind.String(), "rung", t.leg.carrier.Rung().String())
}

// fell: a data-channel connection is over.
func (c *hostConn) fell(now time.Duration, t *attempt, err error) {
	c.paths.down(now, t.leg)
	if err != nil {
		c.host.cfg.Endpoint.log().Info("data channels ended", "conn", c.id, "kind", t.kind.String(), "err", err)
	}
}

// step sends what is due and says when to be called again.
func (c *hostConn) step(now time.Duration) (wake time.Duration) {
	added, changed := c.paths.step(now)
	if c.paths.hesitates() {
		c.host.link.suspect()
	}
	wake = c.paths.decision.Wake
	if len(added) > 0 {
		for _, o := range c.outboxes {
			o.Switched(now)
		}
		c.switchedPast(now)
	}
	for id, o := range c.outboxes {
		following := o.Following()
		c.resend(now, id, o)
		changed = changed || following != o.Following()
		if len(c.paths.use) > 0 {
			wake = min(wake, max(o.Wake(), c.jammed))
		}
	}
	if changed {
		c.route()
	}
	if c.past != nil {
		c.past.leave(c.paths.use)
	}
	c.askForAttempt(now)
	return min(wake, c.paths.sendSecond(now), c.expire(now), c.lapse(now), c.stepPast(now))
}

// askForAttempt lets the viewer know that a connection wants a successor:
// it alone offers, and may be content with what it hears.
func (c *hostConn) askForAttempt(now time.Duration) {
	for k := range kinds {
		if now < c.retryAt[k] || c.attempts.making(k) || !c.paths.toReplace(k) {
			continue
		}
		c.retryAt[k] = now + retryEvery
		c.tell(retry(k))
	}
}

// askAnew asks for a new attempt because our network is another one. The link may
// have gone with it: then the word is lost, and said again on the next one.
func (c *hostConn) askAnew(k kind) {
	c.asked[k] = true
	c.tell(retry(k))
}

func (c *hostConn) askAgain() {
	for k := range kinds {
		if c.asked[k] {
			c.throughServer(retry(k))
		}
	}
}

func retry(k kind) signal.Message { return signal.Message{Type: signal.RetryRTC, Turned: k == turned} }

// expire ends the Conn when it had no path for too long.
func (c *hostConn) expire(now time.Duration) (wake time.Duration) {
	if len(c.paths.legs) > 0 || len(c.attempts.list) > 0 {
		c.lonely = now
	} else if now >= c.lonely+awayMax {
		c.end()
	}
	return c.lonely + awayMax
}

// lapse ends a Conn whose time is over, or that no server has known for too long: what it may do and see is what the server told with its
// open, also on direct paths. While no server has the device in, nobody can know that anything has changed, and they go on.
func (c *hostConn) lapse(now time.Duration) (wake time.Duration) {
	left := time.Hour
	if !c.opened && c.host.welcomed {
		left = lapseTime - (c.host.isIn(now) - c.unknown)
	}
	if c.until > 0 {
		left = min(left, c.until-now)
	}
	if left <= 0 && !c.over {
		c.host.cfg.Endpoint.log().Info("the server does not let this viewer in any more", "conn", c.id)
		c.end()
	}
	return now + left
}
