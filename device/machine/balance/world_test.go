package balance

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/telepath-iot/telepath/device/machine/cartpole"
)

// link is the network between the pole and who balances it, in both directions alike.
type link struct {
	roundTrip time.Duration
	jitter    time.Duration
	loss      float64
	ordered   bool // a stream, over TCP
}

// drive is what is said to the device.
type drive struct {
	seq   int
	force float64
}

// What the device does (docs/protocol.md, section 10.4; device/machine).
const (
	step    = time.Millisecond
	deadman = 300 * time.Millisecond // without a drive, the motor is let go
	company = 3                      // samples in a packet, at 100 ms round trip and 100 Hz

	windMemory, windForce = 0.3, 0.02 // s, N
)

// world is a pole, a network and a controller, in simulated time.
type world struct {
	rand     *rand.Rand
	calm     bool // no wind and no noise
	clockOff time.Duration

	plant   cartpole.Params
	pole    cartpole.State
	wind    float64
	force   float64
	seq     int           // newest at the device
	heard   time.Duration // when it was
	tripped bool          // until a neutral drive
	waiting []Sample

	up   way[drive]
	down way[[]Sample]

	control *Controller
	sent    int

	saw     func(s Sample, now time.Duration)
	decided func(now time.Duration, seq int) // before it is
	obeyed  func(seq int)                    // before the force acts
	told    func(now time.Duration, force float64, ok bool)
}

func newWorld(l link, c Config, seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{rand: r, plant: cartpole.Default(), control: New(c), clockOff: time.Duration(r.Int64N(3_600_000_000)) * time.Microsecond}
	w.pole.Angle = 0.02
	w.up = way[drive]{rand: r, delay: l.roundTrip / 2, jitter: l.jitter, loss: l.loss, ordered: l.ordered}
	w.down = way[[]Sample]{rand: r, delay: l.roundTrip / 2, jitter: l.jitter, loss: l.loss, ordered: l.ordered}
	w.control.Measured(l.roundTrip + l.jitter/2)
	w.saw, w.decided = func(Sample, time.Duration) {}, func(time.Duration, int) {}
	w.obeyed, w.told = func(int) {}, func(time.Duration, float64, bool) {}
	return w
}

// balance is how long the pole stays up, at most for so long, from the moment when the first force came.
func (w *world) balance(most time.Duration) time.Duration {
	started := time.Duration(-1)
	for now := time.Duration(0); ; now += step {
		for _, d := range w.up.arrived(now) {
			w.take(d, now)
		}
		if started < 0 && w.force != 0 {
			started = now
		}
		if w.pole.Down || started >= 0 && now-started >= most {
			return now - started
		}
		w.look(now)
		w.steer(now)
		if started >= 0 {
			w.move(now)
		}
	}
}

// take is the device, which obeys the newest drive, and after its dead-man a neutral one first.
func (w *world) take(d drive, now time.Duration) {
	if d.seq <= w.seq {
		return
	}
	w.obeyed(d.seq)
	w.seq, w.heard = d.seq, now
	if w.tripped = w.tripped && d.force != 0; !w.tripped {
		w.force = d.force
	}
}

// look is the device's source.
func (w *world) look(now time.Duration) {
	if now%Every != 0 {
		return
	}
	s := w.pole
	if !w.calm {
		s.X += 0.0005 * w.rand.NormFloat64()
		s.V += 0.004 * w.rand.NormFloat64()
		s.Angle += 0.0005 * w.rand.NormFloat64()
		s.Spin += 0.004 * w.rand.NormFloat64()
	}
	if w.waiting = append(w.waiting, Sample{now + w.clockOff, s}); len(w.waiting) == company {
		w.down.send(now, w.waiting)
		w.waiting = nil
	}
}

// steer is who balances.
func (w *world) steer(now time.Duration) {
	for _, samples := range w.down.arrived(now) {
		for _, s := range samples {
			w.saw(s, now)
			w.control.Saw(s, now)
		}
	}
	if now%Every != 3*step {
		return
	}
	w.sent++
	w.decided(now, w.sent)
	force, ok := w.control.Decide(now)
	w.told(now, force, ok)
	w.up.send(now, drive{w.sent, force})
}

func (w *world) move(now time.Duration) {
	if now-w.heard > deadman {
		w.force, w.tripped = 0, true
	}
	if !w.calm {
		part := step.Seconds() / windMemory
		w.wind += -w.wind*part + windForce*math.Sqrt(2*part)*w.rand.NormFloat64()
	}
	w.pole = w.plant.Step(w.pole, cartpole.Input{Force: w.force, Wind: w.wind}, step.Seconds())
}
