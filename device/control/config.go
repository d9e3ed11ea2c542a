package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/control/schema"
	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Config says what may be done with a device, and who is told.
type Config struct {
	Name      string              // of the machine, for people; default ""
	Actuators []actuator.Actuator // at least one
	Deadman   time.Duration       // default 300 ms, at least 100 ms: without a valid heartbeat for so long the actuators are made safe
	Age       time.Duration       // default 500 ms: a heartbeat whose tick is older is none
	Simulated bool                // nothing real moves
	FS        disk.FS             // folder of the journal, its own; required
	Sink      source.Sink         // where applied values and the log are published; default: nowhere
	Guard     Guard               // watches over the program itself; default: none
	Log       *slog.Logger        // default: nothing is logged

	now func() (at, asleep uint64) // of tests; default: the clock of the machine
}

// Guard makes the actuators safe when this program cannot. Its methods never block.
type Guard interface {
	Beat()          // a valid heartbeat came, and something may move; or something may be on that only the lease keeps on
	Safe()          // the actuators are safe
	Watching() bool // it has seen a Beat, and is well
	// Lost is called, from any goroutine, when it does not watch any more.
	Lost(tell func())
}

// Defaults and bounds of Config.
const (
	DefaultDeadman = 300 * time.Millisecond
	MinDeadman     = 100 * time.Millisecond
	DefaultAge     = 500 * time.Millisecond

	defaultLimit = 30 * time.Second // of a method
	maxLimit     = time.Hour
	defaultRate  = 10 // calls a second
)

// The roles, of which each may what those before it may.
const (
	operatorRole = "operator"
	admin        = "admin"
)

func (c *Config) complete() error {
	if c.Deadman == 0 {
		c.Deadman = DefaultDeadman
	}
	if c.Age == 0 {
		c.Age = DefaultAge
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = newClock().now
	}
	switch {
	case len(c.Actuators) == 0:
		return errors.New("control: there is no actuator")
	case c.FS == nil:
		return errors.New("control: FS is missing: the journal is kept there")
	case c.Deadman < MinDeadman:
		return fmt.Errorf("control: dead-man time %v: want at least %v", c.Deadman, MinDeadman)
	case c.Age < MinDeadman:
		return fmt.Errorf("control: age %v: want at least %v", c.Age, MinDeadman)
	case c.Name != "":
		if err := wire.CheckName(c.Name, wire.MaxDeviceName); err != nil {
			return fmt.Errorf("control: name: %w", err)
		}
	}
	return nil
}

// method is one that may be called.
type method struct {
	rpc.Method
	hand   *hand
	params *schema.Schema // nil: it takes none
	limit  time.Duration
	rate   bucket // guarded by Authority.mu
}

func newMethod(m rpc.Method, h *hand) (*method, error) {
	if err := wire.CheckName(m.Name, rpc.MaxName); err != nil {
		return nil, err
	}
	switch {
	case m.Role != "" && m.Role != operatorRole && m.Role != admin:
		return nil, fmt.Errorf("role %.32q: want %s or %s", m.Role, operatorRole, admin)
	case m.Rate < 0 || math.IsInf(m.Rate, 0) || math.IsNaN(m.Rate):
		return nil, errors.New("rate: want calls a second, such as 0.5")
	case m.LimitMS > uint64(maxLimit/time.Millisecond):
		return nil, fmt.Errorf("limit: want at most %v", maxLimit)
	}
	if m.LimitMS == 0 {
		m.LimitMS = uint64(defaultLimit / time.Millisecond)
	}
	if m.Rate == 0 {
		m.Rate = defaultRate
	}
	if m.Role == "" {
		m.Role = operatorRole
	}
	out := &method{Method: m, hand: h, limit: time.Duration(m.LimitMS) * time.Millisecond, rate: bucket{rate: m.Rate}}
	var err error
	if m.Params != nil {
		if out.params, err = parseObject(m.Params); err != nil {
			return nil, fmt.Errorf("params: %w", err)
		}
	}
	if m.Result != nil {
		if _, err = schema.Parse(m.Result); err != nil {
			return nil, fmt.Errorf("result: %w", err)
		}
	}
	return out, nil
}

func parseObject(text json.RawMessage) (*schema.Schema, error) {
	s, err := schema.Parse(text)
	if err == nil && !s.IsObject() {
		err = errors.New("want a schema of type object, whose properties are the parameters")
	}
	return s, err
}

// checkAxis says what is wrong with an axis.
func checkAxis(x rpc.Axis) error {
	if err := wire.CheckName(x.Name, rpc.MaxName); err != nil {
		return err
	}
	for _, v := range []float64{x.Min, x.Max, x.Neutral, x.Slew} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return errors.New("range, neutral and slew must be finite")
		}
	}
	switch {
	case x.ID < 1 || x.ID > wire.MaxAxes:
		return fmt.Errorf("id %d: want 1 to %d", x.ID, wire.MaxAxes)
	case x.Min >= x.Max:
		return fmt.Errorf("range %v to %v: want min below max", x.Min, x.Max)
	case x.Neutral < x.Min || x.Neutral > x.Max:
		return fmt.Errorf("neutral %v: it is out of range", x.Neutral)
	case x.Slew < 0:
		return errors.New("slew: want units a second, or nothing")
	}
	return nil
}
