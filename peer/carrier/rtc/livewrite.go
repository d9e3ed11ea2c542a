package rtc

import (
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/live"
)

// liveWriter makes and writes the packets of the Live channel: in the channel's
// own goroutine, or in that of whoever sends.
type liveWriter struct {
	peer *Peer // set once

	mu      sync.Mutex    // held to make a packet and write it, so that packets keep their order
	channel *channel      // guarded by mu, as all below; nil while writeLive has not begun
	wake    time.Duration // when writeLive looks again, on the clock of liveEnds
	batch   carrier.Batch
	fresh   []live.Frame
	packet  []byte
	doubt   bool // as the channel was told last
	hasty   bool // the channel's deadline has passed: a write does not wait
}

// writeLive sends what is queued for the Live channel, and again what did not
// come, until the connection ends.
func (p *Peer) writeLive(c *channel) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	w := &p.live.w
	w.begin(c)
	for {
		if p.bounded() {
			if !w.plainly() {
				return
			}
			continue
		}
		sleep, over := w.all()
		if over {
			return
		}
		timer.Reset(sleep)
		select {
		case <-c.tap.Ready():
		case <-p.live.bell:
		case <-timer.C:
		case <-p.life.Ending().Done():
			if c.tap.Pending().Frames == 0 {
				return
			}
		}
	}
}

func (w *liveWriter) begin(c *channel) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.channel = c
}

// plainly sends what may go where TCP may carry, which loses nothing, and waits. False: it is over.
func (w *liveWriter) plainly() bool {
	if !w.allPlain() || w.peer.life.Ends() && w.channel.tap.Pending().Frames == 0 {
		return false
	}
	w.peer.await(w.channel)
	return true
}

func (w *liveWriter) allPlain() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hasty = false
	for w.peer.take(w.channel, &w.batch) {
		if !w.peer.writeBatch(w.channel, &w.batch) {
			return false
		}
	}
	return true
}

// all sends what is due, each packet waiting for the association's turn, and
// returns how long there is nothing to do.
func (w *liveWriter) all() (sleep time.Duration, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.next() {
		_ = w.channel.SetWriteDeadline(time.Now().Add(stall))
		w.hasty = false
		if !w.write() {
			return 0, true
		}
	}
	const longest = time.Hour
	now := w.peer.live.now()
	sleep = max(0, min(w.wakeAt()-now, longest))
	w.wake = now + sleep
	return sleep, false
}

// eagerly sends what waits in the caller's goroutine, where that cannot block:
// nobody else writes, and the association takes a packet now. Handing it to
// writeLive would cost a wake-up on each hop. It reports whether nothing is left for writeLive.
func (w *liveWriter) eagerly() bool {
	if !w.mu.TryLock() {
		return false
	}
	defer w.mu.Unlock()
	if w.channel == nil || w.peer.bounded() || w.peer.life.Ends() {
		return false
	}
	if !w.hasty {
		_ = w.channel.SetWriteDeadline(time.Unix(0, 0))
		w.hasty = true
	}
	if w.next() && !w.write() {
		return false
	}
	return w.channel.tap.Pending().Frames == 0 && w.wakeAt() >= w.wake
}

// next makes the next packet, if one is due: what is fresh goes first.
func (w *liveWriter) next() bool {
	l := w.peer.live
	l.mu.Lock()
	defer l.mu.Unlock()
	now, wall := l.now(), time.Now()
	w.fresh = w.fresh[:0]
	l.out.Unacknowledged(now, w.channel.stream.BufferedAmount())
	limit := l.out.Limit(now)
	w.setDoubt(l.out.Doubtful(now))
	if limit > 0 && w.channel.tap.Take(limit, &w.batch) {
		for _, f := range w.batch.Frames {
			fresh := live.Frame{Bytes: f.Bytes, Key: f.Conn<<16 | uint64(f.Stream), Span: f.Span}
			if !f.Deadline.IsZero() {
				fresh.Until = now + f.Deadline.Sub(wall)
			}
			w.fresh = append(w.fresh, fresh)
		}
		w.packet = l.out.Pack(now, w.fresh)
		return true
	}
	packet, due := l.out.Next(now)
	w.packet = packet
	return due
}

// write sends the packet before the channel's deadline. What is fresh is given
// back if that passes, so that what is fresher by then goes first. False: it is over.
func (w *liveWriter) write() bool {
	_, err := w.channel.Write(w.packet)
	if err == nil {
		w.peer.sent.Add(len(w.packet))
		return true
	}
	w.unsent()
	switch {
	case !stalled(err):
		if len(w.fresh) > 0 {
			w.channel.tap.Lost(&w.batch)
		}
		return false
	case len(w.fresh) > 0:
		w.channel.tap.Return(&w.batch)
	}
	return true
}

func (w *liveWriter) unsent() {
	w.peer.live.mu.Lock()
	defer w.peer.live.mu.Unlock()
	w.peer.live.out.Unsent()
}

// setDoubt keeps what is sent into the dark from being repeated by SCTP, which
// would have that go before all that is new, in small bursts a second apart.
func (w *liveWriter) setDoubt(doubt bool) {
	if doubt != w.doubt {
		w.doubt = doubt
		w.channel.abandon(doubt)
	}
}

// wakeAt is when something is due that nobody sends.
func (w *liveWriter) wakeAt() time.Duration {
	w.peer.live.mu.Lock()
	defer w.peer.live.mu.Unlock()
	return w.peer.live.out.Wake()
}
