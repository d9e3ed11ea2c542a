// Package exec is the actuator that runs programs: one for each value of an
// axis, one for each call, one that makes everything safe. No shell is
// involved: arguments are what they are, whatever stands in them.
//
//	{value}          in an axis' arguments is the value; also $TELEPATH_AXIS, $TELEPATH_VALUE
//	{NAME}           in a method's arguments is that parameter; also $TELEPATH_METHOD, $TELEPATH_PARAMS (JSON)
//
// A program that ends with 0 has done it. What a method's program prints is its
// result: JSON as it is, else a text; a line `progress 0.4` tells how far it
// is. Of one that fails, the last line on its standard error is the reason.
package exec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/urgent"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// How long programs may take, that are not a method's.
const (
	setLimit  = 2 * time.Second
	safeLimit = 2 * time.Second
	// killedIn is how long a program that was killed may be there before all is made safe beside it.
	killedIn = 50 * time.Millisecond
)

// Axis is an axis, and the program that sets it.
type Axis struct {
	rpc.Axis
	Set []string // program and arguments
}

// Method is a method, and the program that does it.
type Method struct {
	rpc.Method
	Run []string // program and arguments
}

// Config says what is run.
type Config struct {
	Axes    []Axis
	Methods []Method
	Safe    urgent.Command // makes everything safe; needed where there are axes
	Log     *slog.Logger   // default: nothing is logged
}

// Exec runs programs. It implements actuator.Actuator.
type Exec struct {
	cfg     Config          // set once
	safe    *urgent.Program // set once; nil: there is none
	setters map[uint64]*setter
	applied func(map[uint64]float64)
	failed  func(error)
}

var (
	_ actuator.Actuator = (*Exec)(nil)
	_ actuator.Reporter = (*Exec)(nil)
	_ actuator.Guarded  = (*Exec)(nil)
)

// New checks what is to be run, and runs nothing. The first Safe has it stand by that does, until Close.
func New(cfg Config) (*Exec, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &Exec{cfg: cfg, setters: map[uint64]*setter{}, applied: func(map[uint64]float64) {}, failed: func(error) {}}
	for _, x := range cfg.Axes {
		if len(x.Set) == 0 {
			return nil, fmt.Errorf("axis %q: set is missing: the program that sets it", x.Name)
		}
		e.setters[x.ID] = &setter{exec: e, axis: x}
	}
	for _, m := range cfg.Methods {
		if len(m.Run) == 0 {
			return nil, fmt.Errorf("method %q: run is missing: the program that does it", m.Name)
		}
	}
	switch safe := cfg.Safe; {
	case len(safe.Argv) > 0:
		e.safe = urgent.NewProgram(safe, func(err error) {
			cfg.Log.Error("safe does not stand by: it will be started when it is needed", "error", err)
		})
	case len(cfg.Axes) > 0:
		return nil, errors.New("safe is missing: the program that brings the axes to where they are safe")
	case safe.Standby:
		return nil, errors.New("standby: safe is missing, the program that is to stand by")
	}
	return e, nil
}

// Axes implements actuator.Actuator.
func (e *Exec) Axes() (axes []rpc.Axis) {
	for _, x := range e.cfg.Axes {
		axes = append(axes, x.Axis)
	}
	return axes
}

// Methods implements actuator.Actuator.
func (e *Exec) Methods() (methods []rpc.Method) {
	for _, m := range e.cfg.Methods {
		methods = append(methods, m.Method)
	}
	return methods
}

// Report implements actuator.Reporter.
func (e *Exec) Report(applied func(map[uint64]float64), failed func(error)) {
	e.applied, e.failed = applied, failed
}

// SafeCommand implements actuator.Guarded.
func (e *Exec) SafeCommand() urgent.Command { return e.cfg.Safe }

// Close ends the program that stands by, without having it act.
func (e *Exec) Close() error {
	e.safe.Close()
	return nil
}

// Apply implements actuator.Actuator: programs are slow, so that what is set, or fails, is reported when it is.
func (e *Exec) Apply(values map[uint64]float64) (map[uint64]float64, error) {
	for id, v := range values {
		if s := e.setters[id]; s != nil {
			s.set(v)
		}
	}
	return nil, nil
}

// Safe implements actuator.Actuator. A program that sets something ends before. What does not end keeps nothing waiting: all is
// made safe beside it, and the error says that it may yet set something.
func (e *Exec) Safe() error {
	for _, s := range e.setters {
		s.kill()
	}
	grace := time.NewTimer(killedIn)
	defer grace.Stop()
	var errs []error
	for _, s := range e.setters {
		errs = append(errs, s.ended(grace))
	}
	ctx, cancel := context.WithTimeout(context.Background(), safeLimit)
	defer cancel()
	if err := e.safe.Act(ctx); err != nil {
		errs = append(errs, fmt.Errorf("safe: %w", err))
	}
	return errors.Join(errs...)
}

// Call implements actuator.Actuator.
func (e *Exec) Call(ctx context.Context, method string, params json.RawMessage, progress func(float64)) (json.RawMessage, error) {
	for _, m := range e.cfg.Methods {
		if m.Name != method {
			continue
		}
		argv, err := fill(m.Run, params)
		if err != nil {
			return nil, err
		}
		if len(params) == 0 {
			params = json.RawMessage("{}")
		}
		out, err := run(ctx, process{
			argv: argv, progress: progress,
			env: []string{"TELEPATH_METHOD=" + method, "TELEPATH_PARAMS=" + string(params)},
		})
		if err != nil {
			return nil, err
		}
		return asJSON(out), nil
	}
	return nil, fmt.Errorf("there is no method %q", method)
}

// asJSON is what a program printed, as a result.
func asJSON(out string) json.RawMessage {
	out = strings.TrimSpace(out)
	if out == "" {
		return nil
	}
	if json.Valid([]byte(out)) {
		return json.RawMessage(out)
	}
	text, err := json.Marshal(out)
	if err != nil { // of a text there is always JSON
		return nil
	}
	return text
}

// fill puts parameters into their places. One that is left out is empty.
func fill(argv []string, params json.RawMessage) ([]string, error) {
	values := map[string]json.RawMessage{}
	if len(params) > 0 {
		if err := json.Unmarshal(params, &values); err != nil {
			return nil, fmt.Errorf("parameters: %w", err)
		}
	}
	out := []string{argv[0]}
	for _, arg := range argv[1:] {
		out = append(out, place.ReplaceAllStringFunc(arg, func(name string) string {
			value := values[name[1:len(name)-1]]
			var text string
			if json.Unmarshal(value, &text) == nil {
				return text
			}
			return string(value)
		}))
	}
	return out, nil
}

// setter sets an axis, with one program at a time: newer values take the place of one that waits.
type setter struct {
	exec *Exec
	axis Axis

	mu     sync.Mutex
	value  float64            // guarded by mu, like all below
	waits  bool               // value is to be set
	cancel context.CancelFunc // of the program that runs; nil: none does
	gone   chan struct{}      // closed when it has ended
}

// set has a value set, in its own time.
func (s *setter) set(v float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value, s.waits = v, true
	if s.cancel == nil {
		s.beginLocked()
	}
}

func (s *setter) beginLocked() {
	ctx, cancel := context.WithTimeout(context.Background(), setLimit)
	value, gone := s.value, make(chan struct{})
	s.waits, s.cancel, s.gone = false, cancel, gone
	go func() {
		err := s.run(ctx, value)
		if ctx.Err() == context.Canceled {
			err = nil // it was killed, and everything is being made safe
		}
		cancel()
		s.over(gone, err)
	}()
}

// over is when a program has ended. A failure is told with nothing held: who hears of it has everything made safe. What waits is
// not set then: it would come in between.
func (s *setter) over(gone chan struct{}, err error) {
	s.mu.Lock()
	s.cancel = nil
	close(gone)
	s.waits = s.waits && err == nil
	if s.waits {
		s.beginLocked()
	}
	s.mu.Unlock()
	if err != nil {
		s.exec.failed(err)
	}
}

func (s *setter) run(ctx context.Context, value float64) error {
	text := strconv.FormatFloat(value, 'g', -1, 64)
	argv := []string{s.axis.Set[0]}
	for _, arg := range s.axis.Set[1:] {
		argv = append(argv, strings.ReplaceAll(arg, "{value}", text))
	}
	_, err := run(ctx, process{argv: argv, atOnce: true, env: []string{"TELEPATH_AXIS=" + s.axis.Name, "TELEPATH_VALUE=" + text}})
	if err != nil {
		return fmt.Errorf("axis %q: %w", s.axis.Name, err)
	}
	if err := ctx.Err(); errors.Is(err, context.Canceled) { // it is being made safe, which is what is true from now on
		return err
	}
	s.exec.applied(map[uint64]float64{s.axis.ID: value})
	return nil
}

// kill ends the program that sets something. Nothing waits to be set any more.
func (s *setter) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = false
	if s.cancel != nil {
		s.cancel()
	}
}

// ended waits until it is gone, or the grace is over; a timer that has fired has no more to give to the next one.
func (s *setter) ended(grace *time.Timer) error {
	s.mu.Lock()
	running, gone := s.cancel != nil, s.gone
	s.mu.Unlock()
	if !running {
		return nil
	}
	select {
	case <-gone:
		return nil
	case <-grace.C:
		grace.Reset(0)
		return fmt.Errorf("axis %q: the program that sets it does not end", s.axis.Name)
	}
}
