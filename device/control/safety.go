package control

import (
	"context"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/device/control/journal"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// pending is a stop that is answered when all is safe.
type pending struct {
	id, conn string
	began    time.Time // zero: it is an answer that is repeated
}

// maxStops bounds the stops that wait to be answered: more are answered by the same.
const maxStops = 64

// safeSlow is how long actuators may take to be safe before a stop is answered without them.
const safeSlow = time.Second

// missing is an actuator that was to be made safe and is not yet; nil: there is none.
func (a *Authority) missingLocked() *hand {
	for _, h := range a.hands {
		if h.safe != h.wanted || !h.setting.IsZero() {
			return h
		}
	}
	return nil
}

// safeLocked has all actuators made safe, whatever else is under way.
func (a *Authority) safeLocked(why string) {
	moved, held := a.motion.moving, a.heldLocked()
	a.motion.rest()
	a.hold.switched = false
	for _, h := range a.hands {
		h.wanted++
		signal(h.unsafe)
	}
	if moved || held {
		a.logLocked("made safe: %s", why)
	}
	if moved {
		a.tellMovingLocked()
	}
}

// failed is for an actuator that has failed to set something behind the back of Apply, where nothing that follows need tell of it.
func (a *Authority) failed(err error) {
	a.mu.Lock()
	defer a.unlock()
	a.failedLocked(err)
}

// failedLocked makes everything safe: nobody knows where an axis is that could not be set. If nothing moves, that is done already.
func (a *Authority) failedLocked(err error) {
	a.outbox.add(func() { a.cfg.Log.Error("an actuator has failed", "error", err) })
	a.logLocked("an actuator has failed: %v", err)
	if a.motion.moving {
		a.safeLocked("an actuator has failed")
	}
}

// keepSafe makes the actuator safe whenever it is asked for, in its own goroutine: nothing else can hold it up.
func (h *hand) keepSafe(ctx context.Context) {
	retry := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.unsafe:
		case <-after(retry):
		}
		a := h.authority
		a.mu.Lock()
		wanted := h.wanted
		a.mu.Unlock()
		err := h.actuator.Safe()
		retry = h.madeSafe(wanted, err, retry)
	}
}

// after is a channel that nothing ever comes from, for no time at all.
func after(d time.Duration) <-chan time.Time {
	if d == 0 {
		return nil
	}
	return time.After(d)
}

// How often it is tried again to make an actuator safe that refuses.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = time.Second
)

// madeSafe notes what became of it, and returns after what time it is tried again.
func (h *hand) madeSafe(wanted uint64, err error, retry time.Duration) time.Duration {
	a := h.authority
	a.mu.Lock()
	defer a.unlock()
	if err != nil {
		if h.unwell == nil {
			a.cfg.Log.Error("an actuator cannot be made safe", "error", err)
			a.logLocked("an actuator cannot be made safe: %v", err)
		}
		h.unwell = err
		a.answerStopsLocked()
		return min(max(2*retry, firstRetry), lastRetry)
	}
	h.safe, h.unwell = wanted, nil
	if h.wanted > wanted {
		signal(h.unsafe)
		return 0
	}
	a.publishLocked(h.neutral())
	a.settledLocked()
	return 0
}

// settledLocked is when an actuator has become safe: the others may be, too.
func (a *Authority) settledLocked() {
	if a.missingLocked() == nil && !a.motion.moving && a.cfg.Guard != nil {
		a.cfg.Guard.Safe()
		if a.heldLocked() { // a call that has not ended may yet switch something on
			a.wake()
		}
	}
	a.answerStopsLocked()
}

// stopLocked obeys a stop: first of all.
func (a *Authority) stopLocked(from *operator, id, name string) {
	key := "" // of its own: that something else had this id is no reason not to stop
	if id != "" {
		key = rpc.Stop + " " + id
	}
	if _, known := a.answered.get(key); known {
		if !slices.ContainsFunc(a.stops, func(p pending) bool { return p.id == id }) {
			a.answerStopLocked(pending{id: id, conn: from.conn})
		}
		return
	}
	first := !a.stop.Latched
	a.stopped++
	a.stoppedAt, _ = a.cfg.now()
	a.safeLocked("stop")
	for c := range a.openLocked() {
		c.stopped()
	}
	if first {
		a.stop = journal.Stop{Latched: true, By: name, Since: time.Now().UnixMicro()}
		a.logLocked("stop: by %s", name)
		a.boardLocked()
		signal(a.persist)
	}
	a.answered.add(key, answer{})
	if len(a.stops) < maxStops {
		a.stops = append(a.stops, pending{id, from.conn, time.Now()})
	}
	a.tellStopLocked(from.conn)
	a.wake()
}

// answerStopsLocked answers the stops for which all is safe, or which have waited for too long.
func (a *Authority) answerStopsLocked() {
	left := a.stops[:0]
	for _, p := range a.stops {
		if a.missingLocked() != nil && time.Since(p.began) < safeSlow {
			left = append(left, p)
			continue
		}
		a.answerStopLocked(p)
	}
	a.stops = left
}

func (a *Authority) answerStopLocked(p pending) {
	o := a.stopOutcomeLocked()
	o.ID = p.id
	slow := a.missingLocked()
	switch {
	case slow != nil && slow.unwell != nil:
		o.Reason = "an actuator could not be made safe: " + slow.unwell.Error()
	case slow != nil:
		o.Reason = "an actuator has not answered"
	case !p.began.IsZero():
		o.TookUS = uint64(max(time.Since(p.began).Microseconds(), 1))
	}
	a.sayLocked(p.conn, o)
}

func (a *Authority) stopOutcomeLocked() rpc.Outcome {
	o := rpc.Outcome{Type: rpc.Stop, Stopped: a.stop.Latched, By: a.stop.By, Since: uint64(max(a.stop.Since, 0))}
	if a.stop.Latched && a.unkept {
		o.Code, o.Reason = rpc.CodeJournal, "it lasts only until the device's program ends: the disk does not take it"
	}
	return o
}

// tellStopLocked tells all operators but one of the stop as it is now.
func (a *Authority) tellStopLocked(but string) {
	o := a.stopOutcomeLocked()
	for conn, op := range a.operators {
		if op.on && conn != but {
			a.sayLocked(conn, o)
		}
	}
	a.repeatStatesLocked()
}
