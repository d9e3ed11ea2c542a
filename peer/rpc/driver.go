package rpc

import (
	"math"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// driveEvery is how often a Drive is sent at least while a hand is there, driveLeast how often at most with a change. One that
	// changes nothing holds up none that does.
	driveEvery = 50 * time.Millisecond
	driveLeast = 10 * time.Millisecond
	// handTime is how long a hand that does not move on is there.
	handTime = 150 * time.Millisecond
	// crossed is how long before a hand came it may have been said that setpoints are not obeyed, beside two round trips.
	crossed = 100 * time.Millisecond
)

// Driving is how it stands with the hand.
type Driving int

// The states of a hand.
const (
	NoHand  Driving = iota // none is there, or the lease is not ours
	Arming                 // it is there, and the device does not obey yet: it is sent neutral setpoints
	Obeyed                 // the device obeys
	Tripped                // the device has stopped to obey under this hand, which has to let go first
)

// surroundings are what a Drive is made of, beside the hand.
type surroundings struct {
	fence     uint64 // 0: the lease is not ours
	tick      wire.Tick
	axes      []Axis
	moving    bool // the device obeys setpoints
	roundTrip time.Duration
}

// driver decides when which Drive is sent (section 10.4). Without a hand that moves on there is none: it cannot make one.
//
// A hand that comes is neutral until the device obeys; the device obeys after a neutral one only. When the device stops to obey
// under a hand, that hand has to let go first: nothing starts by itself.
type driver struct {
	seq      uint64
	hand     uint64
	there    bool          // a hand has come
	advanced time.Duration // when the hand moved on
	came     time.Duration // when it did after it was not there
	targets  []wire.Target
	holds    bool // the targets are not all neutral: a hand that lets go leaves them so
	state    Driving
	sent     bool
	sentAt   time.Duration
	changed  bool
	newsAt   time.Duration // when a change was sent last
}

// take is what the code says that reads the input: the hand's counter, and where the axes are to go. A counter that stands
// still is no hand.
func (d *driver) take(now time.Duration, hand uint64, targets []wire.Target, axes []Axis) {
	if hand <= d.hand {
		return
	}
	// One that was not heard of for a while, as of a program that was stopped, but did not let go, has not come anew.
	if !d.present(now) && !d.holds {
		d.came, d.state = now, Arming
	}
	d.holds = slices.ContainsFunc(targets, func(t wire.Target) bool { return !rests(t, axes) })
	d.hand, d.there, d.advanced = hand, true, now
	d.changed = d.changed || !slices.Equal(targets, d.targets)
	d.targets = append(d.targets[:0], targets...)
}

func rests(t wire.Target, axes []Axis) bool {
	return slices.ContainsFunc(axes, func(a Axis) bool { return a.ID == t.Axis && a.Neutral == t.Value })
}

func (d *driver) present(now time.Duration) bool { return d.there && now < d.advanced+handTime }

func (d *driver) may(now time.Duration, around surroundings) bool {
	return d.present(now) && around.fence != 0 && around.tick.Epoch != 0
}

// step gives what is to be sent now; nil: nothing.
func (d *driver) step(now time.Duration, around surroundings) *wire.Drive {
	if !d.may(now, around) {
		return nil
	}
	d.settle(now, around)
	if d.sent && now < d.due() {
		return nil
	}
	if d.changed {
		d.newsAt = now
	}
	d.sent, d.sentAt, d.changed = true, now, false
	d.seq++
	drive := &wire.Drive{Fence: around.fence, Seq: d.seq, Hand: d.hand, Tick: around.tick}
	for _, axis := range around.axes[:min(len(around.axes), wire.MaxAxes)] {
		drive.Setpoints = append(drive.Setpoints, wire.Target{Axis: axis.ID, Value: d.value(axis)})
	}
	return drive
}

func (d *driver) due() time.Duration {
	if d.changed {
		return d.newsAt + driveLeast
	}
	return d.sentAt + driveEvery
}

func (d *driver) wake(now time.Duration, around surroundings) time.Duration {
	if !d.may(now, around) {
		return never
	}
	return d.due()
}

func (d *driver) settle(now time.Duration, around surroundings) {
	before := d.state
	switch {
	case d.state == Arming && around.moving:
		d.state = Obeyed
	case d.state == Obeyed && !around.moving && now < d.came+2*around.roundTrip+crossed: // about the hand before this one
		d.state = Arming
	case d.state == Obeyed && !around.moving:
		d.state = Tripped
	}
	d.changed = d.changed || d.state != before
}

func (d *driver) value(axis Axis) float64 {
	i := slices.IndexFunc(d.targets, func(t wire.Target) bool { return t.Axis == axis.ID })
	if d.state == Arming || i < 0 || math.IsNaN(d.targets[i].Value) || math.IsInf(d.targets[i].Value, 0) {
		return axis.Neutral
	}
	return min(max(d.targets[i].Value, axis.Min), axis.Max)
}
