package gpio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/urgent"
	"github.com/telepath-iot/telepath/peer/rpc"
)

const (
	// patience is how long the pin process may take for an answer. One that is stopped is killed then: the next one makes
	// everything safe.
	patience = 100 * time.Millisecond
	// hanging is how long one that is not stopped may take to make everything safe. On a slow machine another one would take longer.
	hanging = 500 * time.Millisecond
	// starting is how long the first one may take: on a small machine that is busy a program needs a while until it runs.
	starting = 10 * time.Second
	// restart is how long to wait before another one is started, where one could not be.
	restart = time.Second
)

var (
	errNone = errors.New("the pin process does not run")
	errOver = errors.New("it was made safe meanwhile")
)

// onParams are the parameters of a method whose line is switched.
var onParams = json.RawMessage(`{"type":"object","required":["on"],"properties":{"on":{"type":"boolean","title":"On"}}}`)

// GPIO moves pins, by a process that holds them. It implements actuator.Actuator.
type GPIO struct {
	cfg     Config // set once, like all up to mu
	told    string // the plan, as JSON
	axes    []rpc.Axis
	methods []rpc.Method
	names   map[uint64]string
	ids     map[string]uint64
	applied func(map[uint64]float64)
	failed  func(error)
	over    chan struct{} // closed by Close
	close   sync.Once
	stirred chan struct{} // something is not where it is safe any more
	keeper  sync.WaitGroup

	mu      sync.Mutex
	now     *process      // guarded by mu, like all below; nil: none holds the pins
	changed chan struct{} // closed and replaced when now is another one
	safes   uint64        // how often it was to be made safe
	moving  bool          // something was set since
	lost    error         // a process ended by itself, and nobody was told
}

var (
	_ actuator.Actuator = (*GPIO)(nil)
	_ actuator.Reporter = (*GPIO)(nil)
	_ actuator.Guarded  = (*GPIO)(nil)
)

// New checks what is to be held, and starts nothing. An error may be an *Error.
func New(cfg Config) (*GPIO, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p, err := cfg.plan()
	if err != nil {
		return nil, err
	}
	told, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	if len(told) > maxPlan {
		return nil, fmt.Errorf("the pins take %d bytes to describe, more than %d", len(told), maxPlan)
	}
	g := &GPIO{
		cfg: cfg, told: string(told), names: map[uint64]string{}, ids: map[string]uint64{},
		applied: func(map[uint64]float64) {}, failed: func(error) {}, over: make(chan struct{}), stirred: make(chan struct{}, 1), changed: make(chan struct{}),
	}
	for _, x := range cfg.Axes {
		g.axes = append(g.axes, x.Axis)
		g.names[x.ID], g.ids[x.Name] = x.Name, x.ID
	}
	for _, m := range cfg.Methods {
		if m.For == 0 {
			m.Params = onParams
		}
		g.methods = append(g.methods, m.Method)
	}
	return g, nil
}

// Axes implements actuator.Actuator.
func (g *GPIO) Axes() []rpc.Axis { return g.axes }

// Methods implements actuator.Actuator.
func (g *GPIO) Methods() []rpc.Method { return g.methods }

// Report implements actuator.Reporter.
func (g *GPIO) Report(applied func(map[uint64]float64), failed func(error)) {
	g.applied, g.failed = applied, failed
}

// SafeCommand implements actuator.Guarded.
func (g *GPIO) SafeCommand() urgent.Command {
	return urgent.Command{Argv: g.argv(safeMode), Standby: true}
}

func (g *GPIO) argv(mode string) []string {
	return append(slices.Clone(g.cfg.Argv), mode, g.cfg.Dir, g.told)
}

// Open takes the pins, all of them safe, and keeps them until Close. Of a pin that cannot be had the error is an *Error.
func (g *GPIO) Open() error {
	if err := supported(); err != nil {
		return err
	}
	if err := os.MkdirAll(g.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("pins: %w", err)
	}
	p, err := startProcess(g.argv(holdMode))
	if err != nil {
		return err
	}
	g.put(p)
	g.keeper.Go(func() { g.keep(p) })
	return nil
}

// Close makes everything safe, and gives the pins back.
func (g *GPIO) Close() error {
	g.close.Do(func() { close(g.over) })
	g.keeper.Wait()
	return nil
}

// keep has a process hold the pins: when one is gone the next one makes everything safe, at once. While something moves it is asked
// again and again, so that one that was stopped is noticed where the hand does nothing new.
func (g *GPIO) keep(p *process) {
	for {
		var look <-chan time.Time
		if g.moves() {
			look = time.After(patience)
		}
		select {
		case <-g.over:
			g.put(nil)
			p.end()
			return
		case <-g.stirred:
			continue
		case <-look:
			_, _ = p.ask(order{}, nil) // who is stopped is killed
			continue
		case <-p.ended:
		}
		g.lose(p.reason())
		for p = nil; p == nil; {
			var err error
			if p, err = startProcess(g.argv(holdMode)); err == nil {
				break
			}
			g.cfg.Log.Error("the pins cannot be held: nothing moves", "error", err)
			select {
			case <-g.over:
				return
			case <-time.After(restart):
			}
		}
		g.put(p)
		g.cfg.Log.Info("the pins are held again, all safe")
		g.applied(g.neutral())
	}
}

func (g *GPIO) put(p *process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = p
	close(g.changed)
	g.changed = make(chan struct{})
}

// lose notes that a process has ended by itself: the next value is refused, so that the hand has to begin anew.
func (g *GPIO) lose(reason error) {
	reason = fmt.Errorf("the pin process has ended: %w", reason)
	g.put(nil)
	g.mu.Lock()
	g.lost, g.moving = reason, false
	g.mu.Unlock()
	g.cfg.Log.Error("the pins are taken anew, and made safe", "error", reason)
	g.keeper.Go(func() { g.failed(reason) }) // the successor does not wait for who is told
}

// stir notes that something may be where it is not safe.
func (g *GPIO) stir() {
	g.mu.Lock()
	g.moving = true
	g.mu.Unlock()
	select {
	case g.stirred <- struct{}{}:
	default:
	}
}

func (g *GPIO) moves() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.moving
}

func (g *GPIO) neutral() map[uint64]float64 {
	values := map[uint64]float64{}
	for _, x := range g.axes {
		values[x.ID] = x.Neutral
	}
	return values
}

// Apply implements actuator.Actuator.
func (g *GPIO) Apply(values map[uint64]float64) (map[uint64]float64, error) {
	set := make(map[string]float64, len(values))
	for id, v := range values {
		set[g.names[id]] = v
	}
	g.mu.Lock()
	p, safes, lost := g.now, g.safes, g.lost
	g.lost = nil
	g.mu.Unlock()
	if lost != nil {
		return nil, lost
	}
	g.stir()
	a, err := p.ask(order{Set: set}, g.unless(safes))
	if errors.Is(err, errOver) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	applied := make(map[uint64]float64, len(a.Applied))
	for name, v := range a.Applied {
		applied[g.ids[name]] = v
	}
	return applied, nil
}

// unless refuses what is about to be written, if it was made safe since.
func (g *GPIO) unless(safes uint64) func() error {
	return func() error {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.safes != safes {
			return errOver
		}
		return nil
	}
}

// safeTries is how many processes are asked: one that does not answer is killed, and the next one is safe from its start.
const safeTries = 3

// Safe implements actuator.Actuator.
func (g *GPIO) Safe() (err error) {
	g.mu.Lock()
	g.safes++
	g.moving = false
	g.mu.Unlock()
	for range safeTries {
		p := g.await(restart)
		if p == nil {
			return errNone
		}
		if _, err = p.ask(order{Safe: true}, nil); err == nil {
			g.mu.Lock()
			g.lost = nil // who drove has to begin anew anyway
			g.mu.Unlock()
			return nil
		}
		<-p.silenced()
	}
	return err
}

// await is the process that holds the pins, or nil if there is none for so long.
func (g *GPIO) await(most time.Duration) *process {
	for end := time.After(most); ; {
		g.mu.Lock()
		p, changed := g.now, g.changed
		g.mu.Unlock()
		if p != nil && !p.isGone() {
			return p
		}
		select {
		case <-changed:
		case <-end:
			return nil
		}
	}
}

// Call implements actuator.Actuator.
func (g *GPIO) Call(ctx context.Context, method string, params json.RawMessage, _ func(float64)) (json.RawMessage, error) {
	o := order{Call: method}
	if len(params) > 0 {
		if err := json.Unmarshal(params, &o); err != nil {
			return nil, fmt.Errorf("parameters: %w", err)
		}
		o.Call = method
	}
	g.mu.Lock()
	p, safes := g.now, g.safes
	g.mu.Unlock()
	g.stir()
	return nil, p.call(ctx, o, g.unless(safes))
}
