package main

import (
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/machine/balance"
	"github.com/telepath-iot/telepath/device/machine/cartpole"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/telemetry"
)

// parts are the streams of a state: it is whole when all four of one moment are here.
var parts = [...]string{"pole/x", "pole/v", "pole/angle", "pole/spin"}

// maxOpen is how many moments may lack parts: a lost packet's are given up then.
const maxOpen = 64

// moment is a state that is being put together.
type moment struct {
	values [len(parts)]float64
	has    [len(parts)]bool
}

// poleSeen puts together what comes of the pole. It is safe for concurrent use.
type poleSeen struct {
	born time.Time

	mu      sync.Mutex
	control *balance.Controller // guarded by mu
	open    map[int64]*moment   // guarded by mu; by time, µs
	stance  string              // guarded by mu
	path    peer.Path           // guarded by mu
	batch   telemetry.Batch     // guarded by mu
}

func newPoleSeen() *poleSeen {
	return &poleSeen{born: time.Now(), control: balance.New(balance.Config{}), open: map[int64]*moment{}}
}

// now is the own clock, as the controller has it.
func (p *poleSeen) now() time.Duration { return time.Since(p.born) }

func (p *poleSeen) received(r peer.Received) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if telemetry.Decode(&p.batch, r.Payload, r.Header.Count) != nil {
		return
	}
	for i := r.Skip; i < r.Skip+r.Take; i++ {
		value := p.batch.Value(i)
		if r.Stream.Name == "pole/state" {
			p.stance = value.Text()
		}
		for part, name := range parts {
			if name == r.Stream.Name && !r.Retained {
				p.addLocked(p.batch.T[i], part, value.Number())
			}
		}
	}
}

func (p *poleSeen) addLocked(t int64, part int, value float64) {
	m := p.open[t]
	if m == nil {
		if len(p.open) >= maxOpen {
			clear(p.open)
		}
		m = &moment{}
		p.open[t] = m
	}
	m.values[part], m.has[part] = value, true
	if m.has != [len(parts)]bool{true, true, true, true} {
		return
	}
	delete(p.open, t)
	v := m.values
	state := cartpole.State{X: v[0], V: v[1], Angle: v[2], Spin: v[3], Down: p.stance == "down"}
	p.control.Saw(balance.Sample{T: time.Duration(t) * time.Microsecond, State: state}, p.now())
}

func (p *poleSeen) onPath(path peer.Path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.path = path
}

// carried is the rung that carries; "": none.
func (p *poleSeen) carried() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.path.OK {
		return ""
	}
	return p.path.Rung.String()
}

func (p *poleSeen) pole() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stance
}

// decide is the force to send now, and how old what it answers is when it acts.
func (p *poleSeen) decide(roundTrip time.Duration) (force float64, age time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.control.Measured(roundTrip)
	force, _ = p.control.Decide(now)
	return force, p.control.Horizon(now)
}
