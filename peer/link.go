package peer

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/network"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// link is the connection to the server, and the making of it again and again.
type link struct {
	// Set once.
	endpoint  Endpoint
	road      *road
	racer     *racer
	loop      *loop
	meter     *meter
	dial      dialer        // that of racer, but for tests
	first     func() []byte // JSON of the open that rides in the request; may be nil, or return nil
	onUp      func()        // in the loop
	onMoved   func()        // in the loop: the link is another one now; older is heard a little longer
	onSettled func()        // in the loop: older is over, nothing comes on it or arrives from it any more
	onDown    func(err error)
	onNetwork func()                // in the loop: this machine's network has changed
	lost      func(netip.Addr) bool // network.Lost, but for tests
	wall      func() time.Time      // the clock that the server is told of
	carries   func() bool           // in the loop: whether the link carries data for want of a better path
	moved     chan *leg             // what became the link; has room for one
	abandoned chan abandoned        // what was given up; has room for one

	failures backoff     // owned by keep
	welcome  atomic.Bool // the server let us in, since keep looked last
	known    atomic.Bool // a server let us in before: who refuses us for good is asked again, rarely
	hurry    atomic.Bool // it is our network that changed: no server is to be spared
	tasks    sync.WaitGroup

	// Owned by the loop.
	keepAlive   time.Duration // a silence of 1.5 times of it ends the link
	leg         *leg          // nil while there is no link
	next        *leg          // to take leg's place when the server has let us in there
	older       *leg          // leg before a move
	rode        bool          // the request for leg carried the open
	lift        *lift
	hop         *hop // nil unless leg is on data channels
	lastID      uint64
	sentAt      time.Duration
	heardAt     time.Duration
	proveBy     time.Duration // the link is in doubt if nothing is heard by then; 0: no hurry
	probedAt    time.Duration // when the probe of lastID was sent
	rtt         time.Duration // the smallest round trip on leg; 0: none was measured
	rests       rests
	intercepted *carrier.Failure
	udp         *uint16 // the server's port, as it says; nil: it has not said
}

// dialer makes a link. open is the JSON of the open signal that may ride in the request; nil: none.
type dialer func(ctx context.Context, l *link, open []byte) (carrier.Carrier, error)

func newLink(e Endpoint, loop *loop, m *meter, keepAlive time.Duration) (*link, error) {
	r, err := newRoad(e)
	if err != nil {
		return nil, err
	}
	memory := e.Memory
	if memory == nil || len(e.Only) > 0 { // what was forbidden says nothing of the network
		memory = &processMemory{}
	}
	l := &link{
		endpoint: e, road: r, loop: loop, meter: m, keepAlive: keepAlive, dial: dialRace, lost: network.Lost, wall: time.Now, moved: make(chan *leg, 1), abandoned: make(chan abandoned, 1),
		racer: &racer{
			rungs: rungsFor(e.Only), dial: r.open, http1: &r.http1, body: &r.body, memory: memory, log: e.log(),
			network: func() string { return network.ID(e.URL, e.Proxy) },
		},
		lift: newLift(e, r.openChannels),
	}
	r.onBody = func(bytes int) { l.racer.limited(func(known *Limits) { known.Body = bytes }) }
	return l, nil
}

// dialRace lets the rungs race.
func dialRace(ctx context.Context, l *link, open []byte) (carrier.Carrier, error) {
	e, err := l.racer.find(ctx, open)
	if err != nil {
		return nil, err // not e, which would be a nil in an interface
	}
	return e, nil
}

// keep holds a link open until ctx ends, or the server says never to come
// again to who was not let in before: then it returns why.
func (l *link) keep(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer l.tasks.Wait()
	defer l.racer.end()
	defer stop()
	l.tasks.Go(func() { l.watchNetwork(ctx) })
	for {
		began := time.Now()
		err := l.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		policy := retryPolicy(err)
		if policy == wire.RetryNever && !l.known.Load() {
			return err
		}
		if l.welcome.Swap(false) || time.Since(began) > stableLink {
			l.failures.reset()
		}
		if l.hurry.Swap(false) {
			continue
		}
		if !l.failures.pause(ctx, policy, l.racer.changed.rung()) {
			return ctx.Err()
		}
	}
}

// once dials and serves one link, with all that takes its place, until it ends.
func (l *link) once(ctx context.Context) error {
	var open []byte
	l.tasks.Go(l.road.readAuthorities)
	if l.first != nil {
		l.road.ahead.begin(ctx, &l.tasks, l.road.url)
		open = l.first()
	}
	c, err := l.dial(ctx, l, open)
	l.road.ahead.end(&l.tasks)
	if err == nil {
		return l.hold(ctx, c)
	}
	err = refusal(err)
	l.loop.post(func() { l.onDown(err) })
	return err
}

func (l *link) up(g *leg) {
	e, raced := g.carrier.(*entrant)
	l.leg, l.rode = g, !raced || e.rode
	l.begin()
	l.onUp()
}

// begin: leg is another one now.
func (l *link) begin() {
	now, rung := l.loop.now(), l.leg.carrier.Rung()
	l.sentAt, l.heardAt, l.proveBy, l.rtt = now, now, 0, 0
	l.rests.begin(now, time.Duration(l.racer.rest.Load()))
	l.lift.moved(now, rung)
	l.hop = nil
	if onChannels(rung) {
		l.hop = newHop(now, rung)
	}
}

// send queues a frame on the link, if there is one.
func (l *link) send(f carrier.Frame) bool {
	if l.leg == nil {
		return false
	}
	l.said()
	return l.leg.carrier.Send(f)
}

func (l *link) said() {
	l.sentAt = l.loop.now()
	l.rests.sent(l.sentAt)
}

// signal sends a message to the server (conn 0) or through it to a Conn. A
// link that takes no more signals is given up: what both ends believe of one
// another would differ from then on.
func (l *link) signal(conn uint64, m signal.Message) bool { return l.signalOn(l.leg, conn, m) }

// answer is signal for what a viewer makes a device say, as often as it likes: it waits in room that all viewers share, half of it if they
// may not command, and is lost where that is full. Who lacks it asks again.
func (l *link) answer(conn uint64, commands bool, m signal.Message) bool {
	f, err := signalFrame(conn, m)
	if err != nil {
		l.endpoint.log().Error("signal not sent", "type", m.Type, "err", err)
		return false
	}
	f.Source, f.Yields = conn, !commands
	return l.send(f)
}

// signalOn is signal on the link, or on the one that is to take its place.
func (l *link) signalOn(g *leg, conn uint64, m signal.Message) bool {
	f, err := signalFrame(conn, m)
	if err != nil {
		l.endpoint.log().Error("signal not sent", "type", m.Type, "err", err)
		return false
	}
	if g == nil {
		return false
	}
	l.said()
	sent := g.carrier.Send(f)
	if !sent {
		g.carrier.Close(wire.CodeByName("timeout"), "the server does not read signals")
	}
	return sent
}

// signalFrame encodes a message as a frame.
func signalFrame(conn uint64, m signal.Message) (carrier.Frame, error) {
	body, err := m.Append(nil)
	if err != nil {
		return carrier.Frame{}, err
	}
	hop := wire.Hop{Conn: conn, Priority: wire.High}
	return carrier.Frame{Class: wire.Signal, Conn: conn, Bytes: wire.AppendFrame(nil, wire.TypeSignal, hop, body)}, nil
}

// welcomed takes what the server says of itself.
func (l *link) welcomed(m signal.Message) {
	l.welcome.Store(true)
	if m.UDP != nil {
		l.udp = m.UDP
	}
	l.probe() // for its round trip
}

// compareTLS notes whether TLS ends somewhere else than at the server.
func (l *link) compareTLS(key []byte) {
	before := l.intercepted
	l.intercepted = l.road.intercepted(key)
	if l.intercepted != nil && before == nil {
		l.endpoint.log().Warn("the link works, but somebody can read it", "reason", l.intercepted.Brief())
	}
}

// why says what is to be said of the link beside that it works; empty: nothing.
func (l *link) why() string {
	parts := []string{l.lift.why}
	if l.leg != nil && !onChannels(l.leg.carrier.Rung()) {
		parts = append(parts, l.racer.why())
	}
	for _, concern := range []*carrier.Failure{l.intercepted, l.road.capping(), l.rests.why()} {
		if concern != nil {
			parts = append(parts, concern.Brief())
		}
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return strings.Join(parts, "; ")
}

// heard takes what came for the link itself and reports whether that was all.
func (l *link) heard(now time.Duration, f wire.Frame) (done bool, err error) {
	l.heardAt, l.proveBy = now, 0
	l.rests.heard(now)
	if l.hop != nil {
		l.hop.heard(now)
	}
	if f.Hop.Conn != 0 {
		return false, nil
	}
	switch f.Type {
	case wire.TypeProbe:
		echo, err := wire.AnswerProbe(f.Body)
		if err != nil {
			return true, err
		}
		l.send(control(appendEcho(0, echo, l.wall)))
	case wire.TypeEcho:
		return true, l.echoed(now, f.Body)
	default:
		return false, nil
	}
	return true, nil
}

// echoed takes the answer to a probe: above all, something was heard.
func (l *link) echoed(now time.Duration, body []byte) error {
	echo, err := wire.ParseEcho(body)
	if err != nil {
		return err
	}
	if l.hop != nil {
		l.hop.echoed(now, echo)
	}
	if rtt := roundTrip(now-l.probedAt, echo); echo.ID == l.lastID && (l.rtt == 0 || rtt < l.rtt) {
		l.rtt = rtt
	}
	return nil
}

// deadAfter is how many keep alives without a word end a link, as MQTT counts (MQTT 3.1.1, section 3.1.2.10).
const deadAfter = 1.5

// step keeps the link alive, or ends it when it is silent.
func (l *link) step(now time.Duration) (wake time.Duration) {
	if l.leg == nil {
		return now + time.Hour
	}
	dead := l.heardAt + time.Duration(deadAfter*float64(l.keepAlive))
	if now >= dead {
		l.giveUp(&RefusedError{Code: "silent", Reason: "nothing heard from the server for 1.5 keep alives"})
		return now + time.Hour
	}
	if l.proveBy > 0 && now >= l.proveBy {
		l.doubt(now)
	}
	carries := l.carries()
	wake = min(l.lift.step(now, l.leg.carrier.Rung(), carries), l.watchHop(now, carries))
	if l.proveBy > 0 {
		wake = min(wake, l.proveBy)
	}
	every := l.every()
	due := max(min(l.sentAt, l.heardAt)+every, l.sentAt+every/3)
	if now >= due {
		l.probe()
		due = now + every/3
	}
	return min(wake, due, dead)
}

// every is how long nothing is said or heard until the link is probed: four fifths of a keep alive. Of a long one the server, which waits
// longer, then only answers; and what cuts connections that rest for a minute, as many proxies do, meets none in one of a minute.
func (l *link) every() time.Duration { return l.rests.keepAlive(l.keepAlive * 4 / 5) }

// watchHop probes the way to the server, and looks for another one when it is in doubt.
func (l *link) watchHop(now time.Duration, carries bool) (wake time.Duration) {
	if l.hop == nil {
		return now + time.Hour
	}
	probe, doubt, wake := l.hop.step(now, carries)
	if probe {
		l.probe()
	}
	if doubt {
		l.doubt(now)
	}
	return wake
}

// abandoned is a leg that was given up, and why.
type abandoned struct {
	leg *leg
	why *RefusedError
}

// giveUp leaves a link that is of no use. What it still does in ending is not waited for.
func (l *link) giveUp(why *RefusedError) {
	g := l.leg
	g.carrier.Close(wire.CodeByName(why.Code), why.Reason)
	l.ended(g, why)
	select {
	case <-l.abandoned: // of a link that was over by itself
	default:
	}
	l.abandoned <- abandoned{g, why}
}

func (l *link) probe() {
	l.lastID++
	l.probedAt = l.loop.now()
	probe := wire.Probe{ID: l.lastID, Heard: true, T1: micros(l.wall())}
	if l.hop != nil {
		l.hop.probed(l.probedAt, l.lastID)
	}
	l.send(control(wire.AppendProbe(nil, wire.Hop{}, probe)))
}
