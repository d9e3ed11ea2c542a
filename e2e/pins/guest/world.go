package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/telepath-iot/telepath/e2e/pins"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

const device = "board"

// control is what the agent moves. Where all is safe each line has 0 V, and each 3.3 V while it moves: the brake, which holds where it
// is safe, is on at 0 V.
const control = `
name: board
gpio:
  axes:
    - {name: lamp, max: 1, pin: mcp2221_gpio/0}
    - {name: brake, max: 1, neutral: 1, pin: mcp2221_gpio/1, active-low: true}
  methods:
    - {name: horn, pin: gpiochip0/2, pulse: 300ms}
    - {name: relay, pin: gpiochip0/3}
`

// linked is what the agent says when the server knows it.
var linked = regexp.MustCompile(`linked`)

// moving is the levels while lamp, brake and relay are moved.
var moving = [lines]bool{true, true, false, true}

// world is a server, an agent with the pins, and an operator.
type world struct {
	chip    *chip
	rig     *rig.Rig
	agent   *program.Program
	hand    *hand
	watched time.Duration
}

func newWorld(c *chip, order pins.Order) (*world, error) {
	w := &world{chip: c, rig: &rig.Rig{Bin: "/bin", Dir: "/work"}, watched: watched}
	if order.Slow {
		w.watched = watchedSlow
	}
	if err := os.MkdirAll(w.rig.Dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(w.rig.Dir, "control.yaml"), []byte(control), 0o600); err != nil {
		return nil, err
	}
	if _, err := w.rig.StartServer(nil, "127.0.0.1:8080"); err != nil {
		return nil, err
	}
	if err := w.startAgent(); err != nil {
		return nil, err
	}
	if _, err := w.agent.WaitFor(linked, time.Minute); err != nil { // before, nobody knows it
		return nil, fmt.Errorf("%w\n%s", err, w.agent.Tail(20))
	}
	token, err := os.ReadFile(w.rig.Token("operator"))
	if err != nil {
		return nil, err
	}
	if w.hand, err = newHand(w.rig.URL, strings.TrimSpace(string(token))); err != nil {
		return nil, err
	}
	if order.Busy {
		for range runtime.NumCPU() {
			if _, err := program.Start(program.Spec{Args: []string{"/init", idle}}); err != nil {
				return nil, err
			}
		}
	}
	return w, nil
}

// idle has this program take a processor for itself.
const idle = "idle"

func (w *world) startAgent() (err error) {
	w.agent, err = w.rig.StartDevice(nil, device, "--control", filepath.Join(w.rig.Dir, "control.yaml"), "--source", "sim,rate=10")
	return err
}

// within waits until something is so.
func within(most time.Duration, what string, is func() bool) error {
	for end := time.Now().Add(most); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("not within %v: %s", most, what)
		}
	}
	return nil
}

// move has all lines moved by the operator.
func (w *world) move() error {
	if err := within(30*time.Second, "all is safe at first", func() bool { return w.chip.now() == [lines]bool{} }); err != nil {
		return err
	}
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		w.hand.hold(true)
		if err = within(5*time.Second, "lamp and brake are moved", func() bool { now := w.chip.now(); return now[0] && now[1] }); err == nil {
			err = w.hand.call("relay", `{"on": true}`)
		}
		if err == nil {
			err = within(time.Second, "all lines are moved", func() bool { return w.chip.now() == moving })
		}
		if err == nil {
			return nil
		}
		w.hand.hold(false)
		time.Sleep(500 * time.Millisecond)
	}
	return fmt.Errorf("%w; the agent:\n%s", err, w.agent.Tail(20))
}

// pinProcess is the process that holds the pins.
func (w *world) pinProcess() (int, error) {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, path := range all {
		line, _ := os.ReadFile(path)
		if words := strings.Split(string(line), "\x00"); len(words) > 2 && words[1] == "pins" && words[2] == "hold" {
			return strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	return 0, errors.New("no process holds the pins")
}

// For how long nothing may move after a fault.
const (
	watched     = 1500 * time.Millisecond
	watchedSlow = 6 * time.Second
)

// faults are what is done, by name, and how it is mended. Both are told the agent's process and that of the pins.
var faults = map[string]struct {
	do, mend func(w *world, agent, holder int) error
}{
	"stop": {
		func(w *world, _, _ int) error { return w.hand.stop() },
		func(w *world, _, _ int) error { return w.hand.reset() },
	},
	"hand-gone":      {func(w *world, _, _ int) error { w.hand.vanish(); return nil }, nil},
	"agent-stopped":  {signal(syscall.SIGSTOP, true, false), signal(syscall.SIGCONT, true, false)},
	"agent-killed":   {signal(syscall.SIGKILL, true, false), (*world).restart},
	"holder-killed":  {signal(syscall.SIGKILL, false, true), nil},
	"holder-stopped": {signal(syscall.SIGSTOP, false, true), nil},
	"both-stopped":   {signal(syscall.SIGSTOP, true, true), signal(syscall.SIGCONT, true, false)},
	"both-killed":    {signal(syscall.SIGKILL, true, true), (*world).restart},
}

// signal sends one to the agent, the process of the pins, or both.
func signal(s syscall.Signal, toAgent, toHolder bool) func(w *world, agent, holder int) error {
	return func(_ *world, agent, holder int) error {
		var errs []error
		if toAgent {
			errs = append(errs, syscall.Kill(agent, s))
		}
		if toHolder {
			errs = append(errs, syscall.Kill(holder, s))
		}
		return errors.Join(errs...)
	}
}

func (w *world) restart(_, _ int) error {
	w.agent.Kill()
	return w.startAgent()
}

// run does everything it is told to.
func (w *world) run(order pins.Order) error {
	if err := w.sound(); err != nil {
		return err
	}
	for round := range order.Times {
		for _, name := range pins.Faults {
			if len(order.Only) > 0 && order.Only != name {
				continue
			}
			if err := w.fault(name); err != nil {
				return fmt.Errorf("%s, the %dth time: %w\nthe agent:\n%s", name, round+1, err, w.agent.Tail(30))
			}
		}
	}
	return nil
}

// fault does one, and says how long it took until all was safe, for good.
func (w *world) fault(name string) error {
	if err := w.move(); err != nil {
		return err
	}
	holder, err := w.pinProcess()
	if err != nil {
		return err
	}
	agent, began := w.agent.PID(), time.Now()
	if err := faults[name].do(w, agent, holder); err != nil {
		return err
	}
	time.Sleep(time.Until(began.Add(w.watched)))
	entries := w.chip.since(began)
	last := entries[len(entries)-1]
	s := pins.Said{Fault: name, SafeMS: float64(last.at.Sub(began).Microseconds()) / 1000}
	if last.levels != [lines]bool{} {
		s.SafeMS = pins.Never
	}
	say(s)
	w.hand.hold(false)
	if mend := faults[name].mend; mend != nil {
		return mend(w, agent, holder)
	}
	return nil
}

// sound has the horn sound, by the program for the terminal, and says how long it did.
func (w *world) sound() error {
	if err := within(20*time.Second, "the device can be called", func() bool { return w.hand.ready() }); err != nil {
		return fmt.Errorf("%w; the agent:\n%s", err, w.agent.Tail(20))
	}
	for range sounds {
		began, err := w.callHorn()
		if err != nil {
			return err
		}
		var on, off time.Time
		for _, e := range w.chip.since(began) {
			switch {
			case e.levels[2] && on.IsZero():
				on = e.at
			case !e.levels[2] && !on.IsZero() && off.IsZero():
				off = e.at
			}
		}
		if on.IsZero() || off.IsZero() {
			return errors.New("the horn did not sound, or goes on")
		}
		say(pins.Said{PulseMS: float64(off.Sub(on).Microseconds()) / 1000})
	}
	return nil
}

// sounds is how often the horn is to.
const sounds = 3

// callHorn has it sound, once, and says from when on. A call that was too late never came: on a slow machine it is made again.
func (w *world) callHorn() (began time.Time, err error) {
	for range 5 {
		began = time.Now()
		call, err := w.rig.Command(nil, "operator", "call", device, "horn", "--only", "ws", "--timeout", "60s", "--deadline", "10s")
		if err != nil {
			return began, err
		}
		code, err := call.Wait(90 * time.Second)
		if err != nil {
			return began, err
		}
		if code == 0 {
			return began, nil
		}
		fmt.Println("telepath call:", code, call.Tail(5))
	}
	return began, errors.New("telepath call does not come through")
}
