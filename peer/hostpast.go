package peer

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how a Conn is sent what a device kept: class History (protocol,
// section 5.4). Reading waits for a disk, and has a goroutine; all else runs in the loop.

const (
	// pastAhead is how much is read before it is sent, in bytes.
	pastAhead = 64 << 10
	// What of a transfer may be unacknowledged, in bytes: on data channels no more, since what SCTP has lost holds up what
	// follows, and what is live with it. On ws more, as long as there is room for it: a viewer that acknowledges nothing keeps it
	// in memory, and there may be many.
	pastUnacked    = 256 << 10
	pastUnackedWS  = 1 << 20
	pastUnackedAll = 4 << 20 // of all transfers together, beyond which each has pastUnacked
	// pastProbeEvery is how often the path is measured while the past goes on it, at least.
	pastProbeEvery = 200 * time.Millisecond
	// pastProbeSpacing is the least time between two probes. The next one goes
	// when one was answered: each shows what the last step of the pace did.
	pastProbeSpacing = 20 * time.Millisecond
	// pastProbeSoon is that where pastProbeMuch bytes have gone meanwhile: what a step did shows sooner.
	pastProbeSoon = 5 * time.Millisecond
	pastProbeMuch = 16 << 10
	// pastProbeBytes is how much of the past goes between two probes that are
	// closer than pastProbeEvery: on a narrow path they would take a share of it.
	pastProbeBytes = 2 << 10
	// drivenFor is how long after a Drive somebody counts as driving: they are a
	// few to a hundred a second.
	drivenFor = time.Second
)

// transfer is what of the past a Conn asked for last.
type transfer struct {
	id      uint32
	queue   *session.Ring // read, and not acknowledged
	outbox  *session.Outbox
	flight  *session.Flight
	probed  time.Duration // when the last probe went
	heard   bool          // it was answered
	since   int           // bytes sent since the last probe
	last    uint64        // number of the newest chunk
	reading bool          // some are being read
	ended   bool          // the last one was
	want    chan int      // asks for so many bytes; 1 fits
	stop    context.CancelFunc

	ways map[*leg]*atomic.Bool // paths that it goes on; set: no more
}

// askedPast begins a transfer in the place of the one there may be.
func (c *hostConn) askedPast(m signal.Message) {
	id, _, err := signal.ParsePosition(m.Transfer + ":0")
	if err != nil || id == 0 || !c.host.keeps || c.past != nil && c.past.id == id {
		return
	}
	if !c.asks.take(c.host.loop.now(), 1) { // its viewer asks again
		c.host.meter.drop(session.Limit, 1)
		return
	}
	c.endPast()
	after, numbers := map[string]wire.Position{}, map[string]uint32{}
	for _, number := range m.Routed {
		if number == 0 || int(number) > len(c.host.known) || !c.wants(c.host.known[number-1]) {
			continue
		}
		var p wire.Position
		if epoch, seq, err := signal.ParsePosition(m.Positions[number]); err == nil {
			p = wire.Position{Epoch: epoch, Seq: seq}
		}
		name := c.host.known[number-1].cfg.Name
		after[name], numbers[name] = p, number
	}
	if len(m.Routed) > 0 {
		const longest = 1 << 40 // ms, what a time.Duration holds
		c.beginPast(id, m.Transfer, after, numbers, time.Duration(min(m.SinceMS, longest))*time.Millisecond)
	}
}

func (c *hostConn) beginPast(id uint32, name string, after map[string]wire.Position, numbers map[string]uint32, since time.Duration) {
	ctx, stop := context.WithCancel(context.Background())
	t := newTransfer(id, stop)
	c.past = t
	c.pace.Begin(c.host.loop.now())
	r := pastReader{past: c.host.cfg.Keeper.Read(after, since), epoch: c.host.epoch, transfer: name, began: time.Now(), numbers: numbers, told: map[place]string{}}
	c.host.tasks.Go(func() {
		r.run(ctx, t.want, func(chunks [][]byte, last bool) {
			c.host.loop.post(func() { c.readPast(t, chunks, last) })
		})
	})
}

func newTransfer(id uint32, stop context.CancelFunc) *transfer {
	t := &transfer{
		id: id, queue: session.NewQueue(id), flight: session.NewFlight(pastUnacked), want: make(chan int, 1), stop: stop,
		ways: map[*leg]*atomic.Bool{}, probed: -pastProbeEvery,
	}
	t.outbox = session.NewOutbox(t.queue, wire.HistoryStream, t.flight, 0)
	return t
}

func (c *hostConn) endPast() {
	if c.past != nil {
		c.past.stop()
		c.past.leave(nil)
		c.past = nil
	}
}

// readPast takes chunks that were read.
func (c *hostConn) readPast(t *transfer, chunks [][]byte, last bool) {
	if c.past != t {
		return
	}
	t.reading, t.ended = false, last
	for _, chunk := range chunks {
		t.last++
		h := wire.Header{Class: wire.History, Stream: wire.HistoryStream, Epoch: t.id, Seq: t.last, Count: 1}
		body := append(wire.AppendHeader(make([]byte, 0, len(chunk)+headroom), h), chunk...)
		t.queue.Push(c.host.loop.now(), session.Batch{Seq: t.last, Count: 1, Body: body})
	}
}

// stepPast sends what may be sent now, and has more read.
func (c *hostConn) stepPast(now time.Duration) (wake time.Duration) {
	t := c.past
	if t == nil || len(c.paths.use) == 0 {
		return session.Never
	}
	if t.ended && t.queue.Bytes() == 0 {
		c.endPast()
		return session.Never
	}
	if room := pastAhead - (t.queue.Bytes() - t.flight.Used()); room > 0 && !t.reading && !t.ended {
		t.reading = true
		t.want <- room
	}
	wake = c.sendPast(now, t)
	if t.flight.Used() == 0 {
		return wake
	}
	if now >= t.probeAt() {
		t.probed, t.heard, t.since = now, false, 0
		c.paths.probe(now, c.paths.carrying())
	}
	return min(wake, t.probeAt())
}

// probeAt is when the path is measured next.
func (t *transfer) probeAt() time.Duration {
	switch {
	case t.heard && t.since >= pastProbeMuch:
		return t.probed + pastProbeSoon
	case t.heard && t.since >= pastProbeBytes:
		return t.probed + pastProbeSpacing
	}
	return t.probed + pastProbeEvery
}

// sendPast sends as fast as the pace is, and returns when there may be more to send.
func (c *hostConn) sendPast(now time.Duration, t *transfer) (wake time.Duration) {
	if now < c.host.driven {
		c.pace.Driven()
	}
	t.flight.SetLimit(c.host.mayBeUnacked(t, c.paths.carrying().carrier.Rung()))
	for now >= c.jammed {
		if waits := t.outbox.Behind() || now >= t.outbox.Wake(); waits && !c.pace.Ready(now) {
			return max(c.pace.Wake(), c.jammed)
		}
		item, ok := c.next(now, wire.HistoryStream, t.outbox)
		if !ok {
			if t.outbox.Behind() {
				c.pace.Held()
			}
			break
		}
		if !t.send(c.paths.use, item.Batch.Body) {
			c.refused(now, t.outbox, item.Batch.Last())
			break
		}
		c.pace.Sent(len(item.Batch.Body))
		t.since += len(item.Batch.Body)
	}
	return max(t.outbox.Wake(), c.jammed)
}

// mayBeUnacked is how much of a transfer may be, in bytes.
func (h *Host) mayBeUnacked(t *transfer, on ladder.Rung) int {
	if on != ladder.WS {
		return pastUnacked
	}
	room := pastUnackedAll
	for _, c := range h.conns {
		if c.past != nil && c.past != t {
			room -= c.past.flight.Used()
		}
	}
	return max(pastUnacked, min(room, pastUnackedWS))
}

func (c *hostConn) ackedPast(now time.Duration, p wire.Position) {
	if t := c.past; t != nil && p.Epoch == t.id {
		t.outbox.Ack(now, p)
		t.queue.Release(p.Seq)
	}
}

// switchedPast: another path came into use.
func (c *hostConn) switchedPast(now time.Duration) {
	c.pace.Moved()
	if t := c.past; t != nil {
		t.outbox.Switched(now)
	}
}

// send queues a chunk on the paths in use. It reports whether one took it.
func (t *transfer) send(use []*leg, chunk []byte) (taken bool) {
	for _, g := range use {
		void := t.ways[g]
		if void == nil {
			void = new(atomic.Bool)
			t.ways[g] = void
		}
		f := carrier.Frame{Class: wire.History, Stream: wire.HistoryStream, Void: void}
		taken = g.sendFrame(wire.TypeData, wire.Hop{Priority: wire.Low}, chunk, f) || taken
	}
	return taken
}

// leave takes back what still waits on paths that are not in use any more. It was sent again on another one, or nobody wants it;
// before a narrow hop it would be in the way of what is fresh for as long as that takes.
func (t *transfer) leave(use []*leg) {
	for g, void := range t.ways {
		if !slices.Contains(use, g) {
			void.Store(true)
			delete(t.ways, g)
		}
	}
}

// measuredPast takes a round trip of a path.
func (c *hostConn) measuredPast(_ uint64, rung ladder.Rung, rtt time.Duration) {
	g := c.paths.carrying()
	if t := c.past; t != nil && g != nil && g.carrier.Rung() == rung {
		c.pace.Sample(c.host.loop.now(), rtt)
		t.heard = true
	}
}
