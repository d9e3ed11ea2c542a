package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/device/actuator/gpio"
	"github.com/telepath-iot/telepath/device/agent"
)

const pinsName = "pins"

// pinsCommand is the process that holds the board's pins, and the one that makes them safe when the agent cannot.
func pinsCommand() *cobra.Command {
	return &cobra.Command{
		Use:                pinsName,
		Short:              "hold the board's pins (the agent starts it)",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return gpio.Main(args, cmd.InOrStdin(), os.Stdout, cmd.ErrOrStderr())
		},
	}
}

// gpio is the actuator that moves the board's pins.
func (s *controlSection) gpio(log *slog.Logger, dir string) (*gpio.GPIO, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("the pin process cannot be started: %w", err)
	}
	c := gpio.Config{Argv: []string{self, pinsName}, Dir: dir, Log: log}
	for i, x := range s.config.GPIO.Axes {
		axis, err := s.pinAxis(i, x)
		if err != nil {
			return nil, err
		}
		c.Axes = append(c.Axes, axis)
	}
	for i, m := range s.config.GPIO.Methods {
		method, err := s.offer("gpio", i, m.methodTree)
		if err != nil {
			return nil, err
		}
		pulse, err := s.duration(m.Pulse, time.Millisecond, "gpio", "methods", strconv.Itoa(i), "pulse")
		if err != nil {
			return nil, err
		}
		c.Methods = append(c.Methods, gpio.Method{Method: method, Output: gpio.Output{Pin: m.Pin, ActiveLow: m.ActiveLow}, For: pulse})
	}
	act, err := gpio.New(c)
	if err != nil {
		return nil, s.pinError(err)
	}
	return act, nil
}

func (s *controlSection) pinAxis(i int, x pinAxisTree) (a gpio.Axis, err error) {
	place := []string{"gpio", "axes", strconv.Itoa(i)}
	if a.Axis, err = s.axis("gpio", i, x.axisTree); err != nil {
		return a, err
	}
	a.Output = gpio.Output{Pin: x.Pin, PWM: x.PWM, ActiveLow: x.ActiveLow}
	if x.Frequency != "" {
		if a.Period, err = period(x.Frequency); err != nil {
			return a, s.tree.Errorf(append(place, "frequency"), "axis %q: %w", x.Name, err)
		}
	}
	if x.Pulse == nil {
		return a, nil
	}
	if len(x.Pulse) != len(a.Pulse) {
		return a, s.tree.Errorf(append(place, "pulse"), "axis %q: pulse: want two lengths, at min and at max, such as [1ms, 2ms]", x.Name)
	}
	for n, text := range x.Pulse {
		if a.Pulse[n], err = time.ParseDuration(text); err != nil {
			return a, s.tree.Errorf(append(place, "pulse", strconv.Itoa(n)), "axis %q: pulse %.32q: want a length, such as 1.5ms", x.Name, text)
		}
	}
	return a, nil
}

// period is that of a frequency.
func period(text string) (time.Duration, error) {
	number, unit := strings.TrimSuffix(text, "Hz"), 1.0
	for prefix, factor := range map[string]float64{"k": 1e3, "M": 1e6} {
		if n, found := strings.CutSuffix(number, prefix); found {
			number, unit = n, factor
		}
	}
	hertz, err := strconv.ParseFloat(number, 64)
	ns := math.Round(1e9 / (hertz * unit))
	if err != nil || number == text || !(ns >= 1 && ns <= 1e12) {
		return 0, fmt.Errorf("frequency %.32q: want a number with Hz, kHz or MHz, such as 50Hz", text)
	}
	return time.Duration(ns), nil
}

// openPins takes the board's pins, if any are named. The agent gives them back when it ends.
func (s *controlSection) openPins(c agent.Control) error {
	for _, act := range c.Actuators {
		if pins, ok := act.(*gpio.GPIO); ok {
			if err := pins.Open(); err != nil {
				return s.pinError(err)
			}
		}
	}
	return nil
}

// pinError places an error of the pins in the file.
func (s *controlSection) pinError(err error) error {
	at := []string{"gpio"}
	var placed *gpio.Error
	if errors.As(err, &placed) {
		at = append(at, placed.Place...)
	}
	return s.tree.Errorf(at, "%w", err)
}
