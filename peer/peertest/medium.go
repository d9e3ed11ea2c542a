package peertest

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// Config is how a pair of carriers and the medium between them behave. The
// zero value is a data-channel connection without delay or loss.
type Config struct {
	Rung      ladder.Rung   // what the carriers report; the zero Rung is udp
	Stream    bool          // like TCP: nothing is lost, a cut holds everything up
	Delay     time.Duration // one way
	Rate      int           // bytes per second, each way; 0: as many as come
	Loss      float64       // share of the packets lost, of those that may be
	FailAfter time.Duration // a cut as long as this ends both carriers; 0: never
	Seed      uint64        // of the losses
	Limits    carrier.Limits
}

// Medium is what lies between the two carriers of a Pair. Its methods may be
// called from any goroutine.
type Medium struct {
	cfg  Config // set once
	ends [2]*Carrier

	mu      sync.Mutex
	rng     *rand.Rand    // guarded by mu
	cut     bool          // guarded by mu
	healed  chan struct{} // guarded by mu; closed when the cut is over
	failing *time.Timer   // guarded by mu; nil unless a cut will end the carriers
}

// Pair makes two carriers, joined.
func Pair(cfg Config) (a, b *Carrier, m *Medium) {
	m = &Medium{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 1))}
	a, b = newCarrier(m), newCarrier(m)
	a.other, b.other = b, a
	m.ends = [2]*Carrier{a, b}
	return a, b, m
}

// Cut stops everything, silently, as a firewall does.
func (m *Medium) Cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cut {
		return
	}
	m.cut, m.healed = true, make(chan struct{})
	if m.cfg.FailAfter > 0 {
		m.failing = time.AfterFunc(m.cfg.FailAfter, func() { m.Break(errDark) })
	}
}

// Heal undoes Cut.
func (m *Medium) Heal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.cut {
		return
	}
	m.cut = false
	close(m.healed)
	if m.failing != nil {
		m.failing.Stop()
		m.failing = nil
	}
}

// Break ends both carriers at once, as a reset does. What is under way is lost.
func (m *Medium) Break(why error) {
	for _, c := range m.ends {
		c.life.Stop(why)
	}
}

// isCut reports whether nothing passes now, and what to wait for.
func (m *Medium) isCut() (bool, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cut, m.healed
}

// loses decides about one packet that may be lost.
func (m *Medium) loses() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cut || m.cfg.Loss > 0 && m.rng.Float64() < m.cfg.Loss
}
