// Package machine is a simulated machine: a pole on a cart, which falls unless somebody balances it, and a rover. It is a source
// of telemetry, marked as simulated, and an actuator; so everything that a real machine can be done to can be tried without one.
//
// Its physics (cartpole, rover) go in steps of 1 ms of real time. They are computed in arrears, when somebody looks or touches:
// a hundred times a second, and before each command, which therefore counts from the very millisecond at which it came. That
// is as exact as a goroutine that wakes up a thousand times a second, at a tenth of the price. Steps that were computed late,
// because the computer was busy, are counted and published; they are not left out, unless it stood still for a second.
package machine

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/source"
)

// Step is the time between two states of the simulation.
const Step = time.Millisecond

// Config is the machine's configuration.
type Config struct {
	Seed uint64       // of wind and of the sensors' noise; 0: 1
	Calm bool         // there is no wind, and sensors have no noise
	Log  *slog.Logger // default: nothing is logged
}

// Machine is the simulated machine: a source.Source and an actuator.Actuator. Its methods are safe for concurrent use.
type Machine struct {
	log *slog.Logger // set once

	mu    sync.Mutex
	clock clock    // guarded by mu
	world world    // guarded by mu
	told  []notice // guarded by mu: events that Run has not published yet
}

// New makes a machine whose pole lies on the rail.
func New(config Config) *Machine {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Seed == 0 {
		config.Seed = 1
	}
	return &Machine{log: config.Log, world: newWorld(config.Seed, config.Calm)}
}

// How often samples are made. The pole's are what somebody steers by; the rover is looked at.
const (
	period     = 10 * time.Millisecond
	roverEvery = 5   // periods
	clockEvery = 100 // periods
)

// Run implements source.Source.
func (m *Machine) Run(ctx context.Context, sink source.Sink) error {
	out, err := declare(sink)
	if err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	m.begin()
	timer := time.NewTimer(0)
	defer timer.Stop()
	next := time.Now()
	for tick := 0; ; tick++ {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := m.publish(out, tick); err != nil {
			return fmt.Errorf("machine: %w", err)
		}
		if next = next.Add(period); time.Since(next) > 0 {
			next = time.Now() // what was missed is not made up for: a state has one value at a time
		}
		timer.Reset(time.Until(next))
	}
}

// begin says how the pole is, for who has not seen how it got there.
func (m *Machine) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.advanceLocked(now)
	m.tellLocked(now, streamPoleState, m.world.stance.String())
}

// publish brings the world to the present and says how it is.
func (m *Machine) publish(out outlets, tick int) error {
	m.mu.Lock()
	now := time.Now()
	m.advanceLocked(now)
	m.clock.looked(now)
	shown, late := m.world.look(), m.clock.late
	t := source.Stamp(m.clock.wall(now))
	told := m.told
	m.told = nil
	m.mu.Unlock()

	if err := out.tell(told); err != nil {
		return err
	}
	if err := out.pole(t, shown); err != nil {
		return err
	}
	if tick%roverEvery == 0 {
		if err := out.rover(t, shown); err != nil {
			return err
		}
	}
	if tick%clockEvery == 0 {
		return out.clock(t, late)
	}
	return nil
}

// advanceLocked computes the steps that are due.
func (m *Machine) advanceLocked(now time.Time) {
	steps, skipped := m.clock.due(now)
	if skipped > 0 {
		m.log.Warn("the simulation stood still: this computer was asleep or overloaded", "skipped", time.Duration(skipped)*Step)
	}
	before := m.world.stance
	for range steps {
		m.world.step()
	}
	m.noticeLocked(now, before)
}

// noticeLocked notes that the pole's stance is another one than before.
func (m *Machine) noticeLocked(now time.Time, before stance) {
	if m.world.stance != before {
		m.tellLocked(now, streamPoleState, m.world.stance.String())
	}
}
