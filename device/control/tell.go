package control

import (
	"slices"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// How often who operates is told the time, in µs (section 10.2).
const (
	tickEvery       = 500_000
	tickEveryHolder = 50_000
)

// How often the end of a call is repeated, in µs (section 10.2).
const (
	firstRepeat  = 200_000
	lastRepeat   = 5_000_000
	repeatsFor   = 60_000_000
	maxRepeating = 64 // ends of one Conn: of older ones it asks
)

// stateRepeats is how often a state that has changed is told again, first after firstRepeat, then each time after twice as long.
const stateRepeats = 5

// operator is a Conn that has commanded.
type operator struct {
	conn   string
	peer   peer.Operator
	on     bool   // it operates
	name   string // as it said last
	ticked uint64 // µs; when it was told the time
	ends   []repeat
	again  again
}

// again is that the states are to be told again: what told of a change may have gone on a path that had died, and nobody asks
// for what he does not know of.
type again struct {
	next, gap uint64 // µs
	left      int
}

// repeat is the end of a call, until it was seen.
type repeat struct {
	id              string
	next, gap, last uint64 // µs
}

// who names it for people.
func (o *operator) who() string {
	if o.name != "" {
		return o.name
	}
	return o.peer.Role() + " " + o.conn[:min(len(o.conn), 8)]
}

// operatorLocked is the operator of a Conn.
func (a *Authority) operatorLocked(from peer.Operator) *operator {
	op := a.operators[from.ID()]
	if op == nil {
		op = &operator{conn: from.ID(), peer: from}
		a.operators[op.conn] = op
	}
	return op
}

// sayLocked tells a Conn something, if it is still there. What tells a state has its moment: words overtake one another.
func (a *Authority) sayLocked(conn string, o rpc.Outcome) {
	if op := a.operators[conn]; op != nil {
		if o.Type != rpc.Call {
			o.Epoch = a.epoch
			o.At, _ = a.cfg.now()
		}
		body := o.Append(nil)
		a.outbox.add(func() { op.peer.Say(body) })
	}
}

// refuseLocked says no to a command, where somebody waits for an answer.
func (a *Authority) refuseLocked(conn string, c rpc.Command, code, reason string) {
	o, answers := rpc.Refuse(c, code, reason)
	if !answers {
		return
	}
	if o.Type == rpc.Stop {
		o.Stopped, o.By, o.Since = a.stop.Latched, a.stop.By, uint64(max(a.stop.Since, 0))
	}
	a.sayLocked(conn, o)
}

// operateLocked begins or ends a Conn's being told.
func (a *Authority) operateLocked(op *operator, on bool, now uint64) {
	op.on = on
	if !on {
		return
	}
	a.tickLocked(op, now)
	a.sayLocked(op.conn, a.lease.outcome(now, op.conn))
	a.sayLocked(op.conn, a.stopOutcomeLocked())
	a.sayLocked(op.conn, a.describe()) // last: who has it knows all
	a.wake()
}

func (a *Authority) tickLocked(op *operator, now uint64) {
	op.ticked = now
	tick := wire.Tick{Epoch: a.epoch, At: now}
	a.outbox.add(func() { op.peer.Tick(tick) })
}

// tellTimeLocked sends the ticks that are due, and returns when the next one is.
func (a *Authority) tellTimeLocked(now uint64) (next uint64) {
	next = now + tickEvery
	for _, op := range a.operators {
		if !op.on {
			continue
		}
		every := uint64(tickEvery)
		if a.lease.holder != nil && a.lease.holder.conn == op.conn {
			every = tickEveryHolder
		}
		if now-op.ticked >= every {
			a.tickLocked(op, now)
		}
		next = min(next, op.ticked+every)
	}
	return next
}

// tellMovingLocked tells all operators whether setpoints are obeyed. What can be done they know since they operate.
func (a *Authority) tellMovingLocked() {
	for _, op := range a.operators {
		if op.on {
			a.sayLocked(op.conn, a.movingOutcomeLocked())
		}
	}
	a.repeatStatesLocked()
}

func (a *Authority) movingOutcomeLocked() rpc.Outcome {
	return rpc.Outcome{Type: rpc.OutcomeMachine, Moving: a.motion.moving}
}

// tellLeaseLocked tells all operators but one who has the lease, and who asks for it.
func (a *Authority) tellLeaseLocked(now uint64, but string) {
	for conn, op := range a.operators {
		if op.on && conn != but {
			a.sayLocked(conn, a.lease.outcome(now, conn))
		}
	}
	a.repeatStatesLocked()
}

// repeatStatesLocked has all operators told again of the states, which have just changed.
func (a *Authority) repeatStatesLocked() {
	now, _ := a.cfg.now()
	for _, op := range a.operators {
		op.again = again{now + firstRepeat, firstRepeat, stateRepeats}
	}
	a.wake()
}

// tellAgainLocked tells again what is due, and returns when the next is.
func (a *Authority) tellAgainLocked(now uint64) (next uint64) {
	next = now + tickEvery
	for conn, op := range a.operators {
		if !op.on || op.again.left == 0 {
			continue
		}
		if now >= op.again.next {
			a.sayLocked(conn, a.lease.outcome(now, conn))
			a.sayLocked(conn, a.stopOutcomeLocked())
			a.sayLocked(conn, a.movingOutcomeLocked())
			op.again.gap *= 2
			op.again.next, op.again.left = now+op.again.gap, op.again.left-1
		}
		next = min(next, op.again.next)
	}
	return next
}

// repeatLocked has the end of a call told until it was seen.
func (o *operator) repeat(id string, now uint64) {
	o.seen(id)
	if len(o.ends) == maxRepeating {
		o.ends = slices.Delete(o.ends, 0, 1)
	}
	o.ends = append(o.ends, repeat{id, now + firstRepeat, firstRepeat, now + repeatsFor})
}

func (o *operator) seen(id string) {
	o.ends = slices.DeleteFunc(o.ends, func(r repeat) bool { return r.id == id })
}

// repeatEndsLocked tells the ends that are due again, and returns when the next one is.
func (a *Authority) repeatEndsLocked(now uint64) (next uint64) {
	next = now + lastRepeat
	for _, op := range a.operators {
		op.ends = slices.DeleteFunc(op.ends, func(r repeat) bool { return r.next >= r.last })
		for i := range op.ends {
			r := &op.ends[i]
			if r.next <= now {
				r.gap = min(2*r.gap, lastRepeat)
				r.next = now + r.gap
				a.tellCallLocked(op.conn, r.id)
			}
			next = min(next, r.next)
		}
	}
	return next
}
