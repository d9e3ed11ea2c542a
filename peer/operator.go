package peer

import (
	"bytes"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/wire"
)

// maxSaid bounds the Outcomes of a Conn that wait for the loop: more can only gather while the machine has no time for it.
const maxSaid = 64

// operator is a hostConn as a Control sees it.
type operator struct {
	host  *Host // set once
	conn  *hostConn
	id    string
	heard bool   // owned by the loop: Control knows it
	left  budget // owned by the loop: of refusals

	mu      sync.Mutex
	role    string    // guarded by mu
	said    [][]byte  // guarded by mu
	tick    wire.Tick // guarded by mu
	ticks   bool      // guarded by mu: tick waits
	waiting bool      // guarded by mu: it is in Host.speakers
}

var _ Operator = (*operator)(nil)

func (o *operator) ID() string { return o.id }

func (o *operator) Role() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.role
}

func (o *operator) setRole(role string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.role = role
}

func (o *operator) Say(outcome []byte) {
	o.mu.Lock()
	full := len(o.said) >= maxSaid
	if !full {
		o.said = append(o.said, bytes.Clone(outcome))
	}
	wake := o.wakeLocked()
	o.mu.Unlock()
	if full {
		o.host.meter.drop(session.QueueFull, 1)
	}
	o.host.wakeFor(o, wake)
}

func (o *operator) Tick(tick wire.Tick) {
	o.mu.Lock()
	o.tick, o.ticks = tick, true
	wake := o.wakeLocked()
	o.mu.Unlock()
	o.host.wakeFor(o, wake)
}

// wakeLocked reports whether the loop is to be told.
func (o *operator) wakeLocked() bool {
	wake := !o.waiting
	o.waiting = true
	return wake
}

// wakeFor tells the loop that o has something to say.
func (h *Host) wakeFor(o *operator, wake bool) {
	if !wake {
		return
	}
	h.mu.Lock()
	h.speakers = append(h.speakers, o)
	h.mu.Unlock()
	h.loop.stepNow()
}

// speak sends what operators are told. It runs in the loop.
func (h *Host) speak(now time.Duration) {
	h.mu.Lock()
	speakers := h.speakers
	h.speakers = nil
	h.mu.Unlock()
	for _, o := range speakers {
		o.mu.Lock()
		said, tick, ticks := o.said, o.tick, o.ticks
		o.said, o.ticks, o.waiting = nil, false, false
		o.mu.Unlock()
		for _, outcome := range said {
			o.conn.say(outcome)
		}
		if ticks && !o.conn.over {
			o.conn.paths.sendTwice(now, wire.TypeTick, wire.AppendTick(nil, tick))
		}
	}
}

func (c *hostConn) say(outcome []byte) {
	if c.over || !c.paths.sendBest(wire.TypeOutcome, outcome) {
		c.host.meter.drop(session.NoPath, 1)
	}
}

// mayCommand counts a frame of a Conn that may not.
func (c *hostConn) mayCommand() bool {
	may := rpc.MayOperate(c.operator.Role())
	if !may {
		c.host.meter.drop(session.Role, 1)
	}
	return may
}

// What a Conn is told of commands that are not for it to give, or that this device does not take.
const (
	refusalRate  = 5 // a second
	refusalBurst = 10
)

func (c *hostConn) command(now time.Duration, body []byte) error {
	if len(body) > wire.MaxCommand {
		c.host.meter.drop(session.Limit, 1)
		return nil
	}
	switch {
	case !c.mayCommand():
		return c.refuse(now, body, rpc.CodeRole, "this token may watch, not command")
	case c.host.cfg.Control == nil:
		return c.refuse(now, body, rpc.CodeNotOffered, "this device takes no commands")
	}
	c.operator.heard = true
	c.host.cfg.Control.Command(&c.operator, body)
	return nil
}

func (c *hostConn) refuse(now time.Duration, body []byte, code, reason string) error {
	command, err := rpc.ParseCommand(body)
	if err != nil || !c.operator.left.take(now, 1) {
		return err
	}
	if outcome, answers := rpc.Refuse(command, code, reason); answers {
		c.say(outcome.Append(nil))
	}
	return nil
}

func (c *hostConn) drive(body []byte) {
	if c.mayCommand() && c.host.cfg.Control != nil {
		c.operator.heard = true
		c.host.driven = c.host.loop.now() + drivenFor
		c.host.cfg.Control.Drive(&c.operator, body)
	}
}

// operatorGone tells the Control that a Conn is over that it knows.
func (c *hostConn) operatorGone() {
	if c.operator.heard {
		c.operator.heard = false
		c.host.cfg.Control.Gone(&c.operator)
	}
}
