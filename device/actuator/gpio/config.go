package gpio

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
)

const (
	// minPeriod and maxPeriod bound a PWM's: shorter ones no kernel's timer makes well, longer ones are no pulses any more.
	minPeriod = time.Microsecond
	maxPeriod = time.Second
	// maxPulse bounds a method's.
	maxPulse = 10 * time.Second
	// maxPlan bounds what the processes are told of the pins, in bytes: it is one of their arguments.
	maxPlan = 64 << 10
)

// Output is a pin, and how it is used.
type Output struct {
	Pin       string           `json:"pin,omitempty"`        // a line: its name, such as GPIO17, or CHIP/NUMBER
	PWM       string           `json:"pwm,omitempty"`        // or a PWM: CHIP/CHANNEL
	ActiveLow bool             `json:"active_low,omitempty"` // on is 0 V
	Period    time.Duration    `json:"period,omitempty"`     // of the PWM
	Pulse     [2]time.Duration `json:"pulse,omitzero"`       // of the PWM, at min and at max; default: nothing, and all of the period
}

// Axis is an axis, and the pin that it sets. A line is on above the middle of the range, and reported as max then, else as min.
type Axis struct {
	rpc.Axis
	Output
}

// Method is a method, and its line: On and off, as its parameter "on" says, or on for a while. Where it is safe it is off.
type Method struct {
	rpc.Method
	Output
	For time.Duration // 0: until it is called again
}

// Config says which pins there are, and who holds them.
type Config struct {
	Axes    []Axis
	Methods []Method     // without Params: they are given here
	Argv    []string     // the program that calls Main, with the arguments before those of Main; telepath-device is one, called with "pins"
	Dir     string       // of the socket, made if it is not there: only the agent's user may enter
	Log     *slog.Logger // default: nothing is logged
}

// Error is about one of the axes or methods.
type Error struct {
	Place []string // axes or methods, and which
	err   error
}

func (e *Error) Error() string { return e.err.Error() }

// Unwrap is what is wrong with it.
func (e *Error) Unwrap() error { return e.err }

// plan is what the processes are told of the pins.
type plan struct {
	Axes    []planned `json:"axes,omitempty"`
	Methods []planned `json:"methods,omitempty"`
}

// planned is one axis, or one method.
type planned struct {
	Name    string  `json:"name"`
	Min     float64 `json:"min,omitempty"`
	Max     float64 `json:"max,omitempty"`
	Neutral float64 `json:"neutral,omitempty"`
	Output
	For time.Duration `json:"for,omitempty"`
}

// level is what the pin is set to for a value: of a line 0 or 1, of a PWM its pulse in ns.
func (p planned) level(value float64) uint64 {
	if p.Pin != "" {
		if value > p.Min+(p.Max-p.Min)/2 {
			return 1
		}
		return 0
	}
	part := min(max((value-p.Min)/(p.Max-p.Min), 0), 1)
	return uint64(math.Round(float64(p.Pulse[0]) + part*float64(p.Pulse[1]-p.Pulse[0])))
}

// value is what a level stands for.
func (p planned) value(level uint64) float64 {
	if p.Pin == "" {
		return p.Min + (float64(level)-float64(p.Pulse[0]))/float64(p.Pulse[1]-p.Pulse[0])*(p.Max-p.Min)
	}
	if level == 1 {
		return p.Max
	}
	return p.Min
}

// safe is the level where nothing moves that could do harm: an axis' neutral, and a method's line off.
func (p planned) safe() uint64 { return p.level(p.Neutral) }

// plan checks what is to be held.
func (c Config) plan() (p plan, err error) {
	used := map[string]bool{}
	for i, x := range c.Axes {
		if x.PWM != "" && x.Pulse == ([2]time.Duration{}) {
			x.Pulse[1] = x.Period
		}
		if err := checkAxis(x, used); err != nil {
			return p, misplaced("axis", "axes", x.Name, i, err)
		}
		p.Axes = append(p.Axes, planned{x.Name, x.Min, x.Max, x.Neutral, x.Output, 0})
	}
	for i, m := range c.Methods {
		if err := checkMethod(m, used); err != nil {
			return p, misplaced("method", "methods", m.Name, i, err)
		}
		p.Methods = append(p.Methods, planned{m.Name, 0, 1, 0, m.Output, m.For})
	}
	if len(used) == 0 {
		return p, errors.New("gpio has neither axes nor methods")
	}
	return p, nil
}

func misplaced(what, list, name string, i int, err error) error {
	return &Error{[]string{list, strconv.Itoa(i)}, fmt.Errorf("%s %.64q: %w", what, name, err)}
}

func checkAxis(x Axis, used map[string]bool) error {
	line := x.Pin != ""
	switch {
	case line == (x.PWM != ""):
		return errors.New("want one of pin, which is on or off, such as pin: GPIO17, and pwm")
	case line && (x.Period != 0 || x.Pulse != [2]time.Duration{}):
		return errors.New("pin: a line is on or off; frequency and pulse are for pwm")
	case line && x.Slew != 0:
		return errors.New("slew: a line is on or off: it cannot move slowly")
	case line && x.Neutral != x.Min && x.Neutral != x.Max:
		return fmt.Errorf("neutral %v: a line is off (%v) or on (%v) where it is safe", x.Neutral, x.Min, x.Max)
	case line:
		return claim(x.Pin, used)
	}
	return errors.Join(checkPWM(x), claim(x.PWM, used))
}

func checkPWM(x Axis) error {
	chip, channel, found := strings.Cut(x.PWM, "/")
	if _, err := strconv.ParseUint(channel, 10, 16); err != nil || !found || chip == "" {
		return fmt.Errorf("pwm %.32q: want CHIP/CHANNEL, such as pwmchip0/0", x.PWM)
	}
	if x.Period < minPeriod || x.Period > maxPeriod {
		return errors.New("frequency: want 1Hz to 1MHz, such as 50Hz for a servo, or 1kHz")
	}
	for _, pulse := range x.Pulse {
		if pulse < 0 || pulse > x.Period {
			return fmt.Errorf("pulse %v: want 0 to one period, which is %v", pulse, x.Period)
		}
	}
	if x.Pulse[0] == x.Pulse[1] {
		return errors.New("pulse: want two lengths, at min and at max")
	}
	return nil
}

func checkMethod(m Method, used map[string]bool) error {
	switch {
	case m.Pin == "" || m.PWM != "":
		return errors.New("pin is missing: the line that it sets, such as GPIO27")
	case m.Params != nil || m.Result != nil:
		return errors.New(`params, result: a line's are fixed: "on" without a pulse, otherwise nothing`)
	case m.For < 0 || m.For > maxPulse:
		return fmt.Errorf("pulse %v: want up to %v", m.For, maxPulse)
	case m.LimitMS != 0 && m.For > time.Duration(m.LimitMS)*time.Millisecond:
		return fmt.Errorf("limit: the pulse takes %v", m.For)
	}
	return claim(m.Pin, used)
}

// claim refuses a pin that was there before.
func claim(name string, used map[string]bool) error {
	if used[name] {
		return fmt.Errorf("%.32q is used twice", name)
	}
	used[name] = true
	return nil
}
