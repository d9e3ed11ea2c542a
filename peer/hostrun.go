package peer

import (
	"context"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// flushTime is how long Run waits for acknowledgements when it is told to end.
	flushTime = 2 * time.Second
	// flushPoll is how often it looks whether they have come.
	flushPoll = 20 * time.Millisecond
)

// Run serves viewers until ctx ends, then says goodbye, or until the server
// refuses the device for good; that is the error it returns. A device that a
// server has let in before, now or at an earlier start, goes on: it asks again
// every 30 s, since a server may get back what it knew. Run is called once.
func (h *Host) Run(ctx context.Context) error {
	inner, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		if err := h.link.keep(inner); inner.Err() == nil {
			end(err)
		}
	})
	tasks.Go(func() {
		select {
		case <-ctx.Done():
			h.farewell(inner)
			end(nil)
		case <-inner.Done():
		}
	})
	h.loop.run(inner, h.handle, h.step)
	for _, c := range h.conns {
		c.attempts.closeAll()
		c.endPast()
		c.operatorGone()
	}
	tasks.Wait()
	h.tasks.Wait()
	if err := context.Cause(inner); err != context.Canceled { // as end(nil) leaves it
		return err
	}
	return nil
}

// farewell gives what is unacknowledged up to flushTime to arrive, and then
// tells everybody that the device ends on purpose.
func (h *Host) farewell(ctx context.Context) {
	for end := time.Now().Add(flushTime); time.Now().Before(end); time.Sleep(flushPoll) {
		waiting := false
		if !h.loop.ask(ctx, func() { h.step(h.loop.now()); waiting = h.unacknowledged() }) {
			return
		}
		if !waiting {
			break
		}
	}
	h.loop.ask(ctx, h.bye)
}

// bye tells the server and every Conn where each stream ends. A server that
// was told hello has let the device in, perhaps, and its welcome is under way;
// one that was not is told nothing any more: it would take the end for a cut.
func (h *Host) bye() {
	h.left = true
	h.step(h.loop.now())
	final := map[uint32]string{}
	for _, s := range h.known {
		final[s.id] = signal.FormatPosition(s.epoch, s.head())
	}
	m := signal.Message{Type: signal.Bye, Final: final}
	if h.welcomed {
		h.store(h.loop.now())
	}
	for _, g := range []*leg{h.link.leg, h.link.next} {
		if g != nil && g.said { // it may be in there, whether it knows or not
			h.link.signalOn(g, 0, m)
		}
	}
	for _, c := range h.conns {
		c.tell(m)
	}
}

func (h *Host) unacknowledged() bool {
	for _, c := range h.conns {
		if c.unacknowledged() {
			return true
		}
	}
	return false
}

func (h *Host) handle(from *leg, packet []byte) {
	now := h.loop.now()
	if from.direct() {
		from.conn.(*hostConn).attempts.cameOn(from)
	}
	for f, err := range wire.Frames(packet) {
		if err == nil {
			err = h.frame(now, from, f)
		}
		if err != nil {
			h.malformed(err)
		}
	}
}

func (h *Host) frame(now time.Duration, from *leg, f wire.Frame) error {
	if from.direct() {
		return from.conn.(*hostConn).frame(now, from, f)
	}
	switch from {
	case h.link.leg:
	case h.link.next:
		return h.nextFrame(f)
	default: // of a link that is over
		return nil
	}
	if done, err := h.link.heard(now, f); done {
		return err
	}
	return h.linkFrame(now, f)
}

// malformed counts a frame that cannot be read, and says so once.
func (h *Host) malformed(err error) {
	h.meter.drop(session.Malformed, 1)
	if !h.told {
		h.told = true
		h.cfg.Endpoint.log().Warn("a frame cannot be read; more of them are only counted", "err", err)
	}
}

func (h *Host) step(now time.Duration) (wake time.Duration) {
	h.publish(now)
	h.speak(now)
	h.link.keepAlive = h.keepAlive()
	wake = h.stepStore(now) // before the link's own, which says nothing when something was said
	wake = min(wake, h.link.step(now))
	nearest := time.Duration(0)
	for _, c := range h.conns {
		wake = min(wake, c.step(now))
		if rtt := c.paths.leastRTT(); rtt > 0 && (nearest == 0 || rtt < nearest) {
			nearest = rtt
		}
	}
	if nearest == 0 {
		nearest = 2 * unknownWay
	}
	h.oneWay.Store(int64(nearest / 2))
	return wake
}

func (h *Host) nextLeg() int {
	h.lastLeg++
	return h.lastLeg
}
