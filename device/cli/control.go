package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/device/actuator/exec"
	"github.com/telepath-iot/telepath/device/actuator/stdout"
	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/device/control"
	"github.com/telepath-iot/telepath/device/control/schema"
	"github.com/telepath-iot/telepath/device/urgent"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/settings"
)

// controlSection is the setting `control`: what operators may do with the device (docs/control.md).
type controlSection struct {
	tree   *settings.Tree
	config controlTree
	names  map[string]bool // of axes and methods, while they are read
	axes   int             // that were read
}

// String implements pflag.Value.
func (s *controlSection) String() string { return "" }

// Type implements pflag.Value.
func (s *controlSection) Type() string { return "file" }

// Set implements pflag.Value.
func (s *controlSection) Set(path string) error {
	tree, err := settings.ReadTree(path)
	if err != nil {
		return err
	}
	return s.SetTree(tree)
}

// SetTree implements settings.Section.
func (s *controlSection) SetTree(tree settings.Tree) error {
	s.tree, s.config = &tree, controlTree{}
	if err := tree.Decode(&s.config); err != nil {
		return err
	}
	_, err := s.control(nil, "")
	return err
}

// control is what it says to an agent with a folder. Log may be nil.
func (s *controlSection) control(log *slog.Logger, dir string) (c agent.Control, err error) {
	if s.tree == nil {
		return c, nil
	}
	t := s.config
	c = agent.Control{Name: t.Name, Simulated: t.Simulated}
	if c.Deadman, err = s.duration(t.Deadman, control.MinDeadman, "dead-man"); err != nil {
		return c, err
	}
	if c.Age, err = s.duration(t.Age, control.MinDeadman, "age"); err != nil {
		return c, err
	}
	s.names, s.axes = map[string]bool{}, 0
	if t.Exec != nil {
		act, err := s.exec(log)
		if err != nil {
			return c, err
		}
		c.Actuators = append(c.Actuators, act)
	}
	if t.Stdout != nil {
		act, err := s.stdout(log)
		if err != nil {
			return c, err
		}
		c.Actuators = append(c.Actuators, act)
	}
	if t.GPIO != nil {
		act, err := s.gpio(log, dir)
		if err != nil {
			return c, err
		}
		c.Actuators = append(c.Actuators, act)
	}
	if len(c.Actuators) == 0 {
		return c, s.tree.Errorf(nil, "control does not say what moves things: want exec, stdout or gpio")
	}
	return c, nil
}

// duration is one of at least `least`; 0: none is given.
func (s *controlSection) duration(text string, least time.Duration, keys ...string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < least {
		return 0, s.tree.Errorf(keys, "%s %.32q: want a duration of at least %v", keys[len(keys)-1], text, least)
	}
	return d, nil
}

// exec is the actuator that runs programs.
func (s *controlSection) exec(log *slog.Logger) (*exec.Exec, error) {
	t := s.config.Exec
	c := exec.Config{Safe: urgent.Command{Argv: t.Safe, Standby: t.Standby}, Log: log}
	for i, x := range t.Axes {
		axis, err := s.axis("exec", i, x)
		if err != nil {
			return nil, err
		}
		c.Axes = append(c.Axes, exec.Axis{Axis: axis, Set: x.Set})
	}
	for i, m := range t.Methods {
		method, err := s.offer("exec", i, m)
		if err != nil {
			return nil, err
		}
		c.Methods = append(c.Methods, exec.Method{Method: method, Run: m.Run})
	}
	act, err := exec.New(c)
	if err != nil {
		return nil, s.tree.Errorf([]string{"exec"}, "%w", err)
	}
	return act, nil
}

// stdout is the actuator that writes lines to the program behind standard output.
func (s *controlSection) stdout(log *slog.Logger) (*stdout.Stdout, error) {
	t := s.config.Stdout
	c := stdout.Config{Out: os.Stdout, Guard: urgent.Command{Argv: t.Guard, Standby: t.Standby}, Log: log}
	if t.Guard != nil && (len(t.Guard) == 0 || t.Guard[0] == "") {
		return nil, s.tree.Errorf([]string{"stdout", "guard"}, "guard: want a program and its arguments, such as [/usr/local/bin/motor, stop]")
	}
	if t.Standby && t.Guard == nil {
		return nil, s.tree.Errorf([]string{"stdout", "standby"}, "standby: guard is missing, the program that is to stand by")
	}
	if t.Answers {
		c.In = os.Stdin
	}
	for i, x := range t.Axes {
		axis, err := s.axis("stdout", i, x)
		if err != nil {
			return nil, err
		}
		c.Axes = append(c.Axes, axis)
	}
	for i, m := range t.Methods {
		method, err := s.offer("stdout", i, m)
		if err != nil {
			return nil, err
		}
		c.Methods = append(c.Methods, method)
	}
	return stdout.New(c), nil
}

// axis is one of an actuator's. Numbers go on from one actuator to the next.
func (s *controlSection) axis(kind string, i int, x axisTree) (rpc.Axis, error) {
	s.axes++
	axis := rpc.Axis{
		ID: uint64(s.axes), Name: x.Name, Label: x.Label, Unit: x.Unit,
		Min: x.Min, Max: x.Max, Slew: x.Slew, Neutral: x.Neutral, Stream: x.Stream,
	}
	if err := firstOf(control.CheckAxis(axis), program(kind, "set", x.Set), s.twice("axis "+x.Name)); err != nil {
		return axis, s.tree.Errorf([]string{kind, "axes", strconv.Itoa(i)}, "axis %q: %w", x.Name, err)
	}
	return axis, nil
}

// offer is one of an actuator's methods.
func (s *controlSection) offer(kind string, i int, m methodTree) (rpc.Method, error) {
	method, at, err := s.method([]string{kind, "methods", strconv.Itoa(i)}, m)
	if at == nil {
		return method, err
	}
	if err := firstOf(err, program(kind, "run", m.Run), s.twice("method "+m.Name)); err != nil {
		return method, s.tree.Errorf(at, "method %q: %w", m.Name, err)
	}
	return method, nil
}

// method is one of the section's; with an error also where that is, or nil, where the error says it itself.
func (s *controlSection) method(place []string, m methodTree) (method rpc.Method, at []string, err error) {
	at = place
	method = rpc.Method{
		Name: m.Name, Label: m.Label, Help: m.Help, Role: m.Role, Rate: m.Rate, Lease: m.Lease, Danger: m.Danger,
	}
	limit, err := s.duration(m.Limit, time.Millisecond, append(at, "limit")...)
	if err != nil {
		return method, nil, err
	}
	method.LimitMS = uint64(limit / time.Millisecond)
	for _, part := range []struct {
		key string
		to  *json.RawMessage
	}{{"params", &method.Params}, {"result", &method.Result}} {
		if *part.to, err = s.tree.JSON(append(at, part.key)...); err != nil {
			return method, nil, err
		}
	}
	err = control.CheckMethod(method)
	var inSchema *schema.Error
	if errors.As(err, &inSchema) {
		key := "params"
		if len(method.Params) == 0 {
			key = "result"
		} else if _, bad := schema.Parse(method.Params); bad == nil && method.Result != nil {
			key = "result"
		}
		at = append(append(at, key), inSchema.Path...)
	}
	return method, at, err
}

// program says whether a program is named where one is run, and nowhere else.
func program(kind, key string, argv []string) error {
	if kind != "exec" {
		if argv != nil {
			return fmt.Errorf("%s: %s runs no program: leave this out", key, kind)
		}
		return nil
	}
	if len(argv) == 0 || argv[0] == "" {
		return fmt.Errorf(`%s is missing: the program and its arguments, such as [/usr/local/bin/motor, "{value}"]`, key)
	}
	return nil
}

// twice refuses a name that was there before.
func (s *controlSection) twice(name string) error {
	if s.names[name] {
		return errors.New("there is another one with this name")
	}
	s.names[name] = true
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// guarded gives the agent its guard: this program, once more.
func guarded(c agent.Control) (agent.Control, error) {
	if len(c.Actuators) == 0 || runtime.GOOS == "windows" { // whose pipes know no deadlines
		return c, nil
	}
	self, err := os.Executable()
	if err != nil {
		return c, fmt.Errorf("the guard process cannot be started: %w", err)
	}
	c.Guard = []string{self, guardName}
	return c, nil
}

// answers says whether standard input is where a program answers: then no source reads it.
func (s *controlSection) answers() bool { return s.config.Stdout != nil && s.config.Stdout.Answers }

func (s *controlSection) add(cmd *cobra.Command) {
	cmd.Flags().Var(s, "control", "YAML `file` that says what operators may do with this device (docs/control.md); in the configuration file, put the same under the key control")
}
