package control

import (
	"math"

	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// handFresh is how long a hand counts as there without having moved its counter, in µs (section 10.4).
	handFresh = 150_000
	// maxStep bounds the time for which an axis may make up at once under its slew, in µs.
	maxStep = 100_000
	// stepEvery is how often an axis goes on towards a target under its slew, in µs.
	stepEvery = 10_000
	// suspended: a machine that slept for longer, in µs, was suspended. Less is the error of the measurement.
	suspended = 20_000
)

// motion decides what heartbeats move: which are valid, where the axes may go, and when all is over.
type motion struct {
	epoch   uint32
	deadman uint64 // µs
	age     uint64 // µs
	axes    map[uint64]*axis

	seq    uint64
	hand   uint64
	handAt uint64 // µs; when hand was first seen at this value
	begun  bool   // a Drive of this lease came
	valid  uint64 // µs; when the hand of the last valid heartbeat was first seen at its value
	moving bool   // setpoints are obeyed
	asleep uint64 // µs; for how long the machine has been suspended, when it was looked at last
}

// axis is where one is, and where it is to go.
type axis struct {
	rpc.Axis
	target, at float64
	stepped    uint64 // µs
}

func newMotion(epoch uint32, deadman, age uint64, axes []rpc.Axis) motion {
	m := motion{epoch: epoch, deadman: deadman, age: age, axes: map[uint64]*axis{}}
	for _, x := range axes {
		m.axes[x.ID] = &axis{Axis: x, target: x.Neutral, at: x.Neutral}
	}
	return m
}

// begin is for a lease that was granted, or whose holder is on another Conn now: sequence and hand begin anew.
func (m *motion) begin() { m.seq, m.hand, m.begun = 0, 0, false }

// rest is when the actuators are made safe: nothing is obeyed until it was asked for anew.
func (m *motion) rest() {
	m.moving = false
	for _, x := range m.axes {
		x.target, x.at = x.Neutral, x.Neutral
	}
}

// drive takes a heartbeat of who holds the lease. Ready: all is safe before something moves, and
// guarded while it does. It says whether it was a valid one.
func (m *motion) drive(now uint64, d *wire.Drive, ready bool) bool {
	if m.begun && d.Seq <= m.seq {
		return false
	}
	if !m.begun || d.Hand > m.hand {
		m.hand, m.handAt = d.Hand, now
	}
	m.begun, m.seq = true, d.Seq
	if now-m.handAt > handFresh || d.Hand < m.hand || d.Tick.Epoch != m.epoch || d.Tick.At > now || now-d.Tick.At > m.age {
		return false
	}
	// A heartbeat that repeats a hand says nothing new of it: of a page that hangs such come for a while.
	m.valid = m.handAt
	switch {
	case m.moving && ready:
		m.aim(d.Setpoints)
	case !m.moving && ready && m.neutral(d.Setpoints):
		m.moving = true
		for _, x := range m.axes {
			x.stepped = now
		}
	}
	return true
}

func (m *motion) neutral(targets []wire.Target) bool {
	for _, t := range targets {
		if x := m.axes[t.Axis]; x != nil && t.Value != x.Neutral {
			return false
		}
	}
	return true
}

// aim sets targets within their axes' ranges. An axis that there is not moves nothing.
func (m *motion) aim(targets []wire.Target) {
	for _, t := range targets {
		if x := m.axes[t.Axis]; x != nil {
			x.target = min(max(t.Value, x.Min), x.Max)
		}
	}
}

// expired says whether what moves has to be made safe.
func (m *motion) expired(now uint64) bool { return m.moving && now-m.valid >= m.deadman }

// slept says whether the machine was suspended since it was asked last.
func (m *motion) slept(asleep uint64) bool {
	yes := asleep > m.asleep+suspended
	m.asleep = max(m.asleep, asleep)
	return yes
}

// step moves axes towards their targets. It returns those that change, nil: none, and whether it is to go on.
func (m *motion) step(now uint64, ids []uint64) (values map[uint64]float64, more bool) {
	if !m.moving {
		return nil, false
	}
	for _, id := range ids {
		x := m.axes[id]
		next := x.next(now)
		x.stepped, more = now, more || next != x.target
		if next == x.at {
			continue
		}
		if values == nil {
			values = make(map[uint64]float64, len(ids))
		}
		x.at, values[id] = next, next
	}
	return values, more
}

// next is where an axis may be now.
func (x *axis) next(now uint64) float64 {
	if x.Slew == 0 {
		return x.target
	}
	way := x.Slew * float64(min(now-min(x.stepped, now), maxStep)) / 1e6
	if math.Abs(x.target-x.at) <= way {
		return x.target
	}
	return x.at + math.Copysign(way, x.target-x.at)
}
