package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/actuator/exec"
	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/device/control"
	"github.com/telepath-iot/telepath/device/control/schema"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/settings"
)

// controlSection is the setting `control`: what operators may do with the device (docs/control.md).
type controlSection struct {
	tree   *settings.Tree
	config controlTree
}

// controlTree is how it is written.
type controlTree struct {
	Name      string    `yaml:"name"`
	Deadman   string    `yaml:"dead-man"`
	Age       string    `yaml:"age"`
	Simulated bool      `yaml:"simulated"`
	Exec      *execTree `yaml:"exec"`
}

type execTree struct {
	Safe    []string     `yaml:"safe"`
	Axes    []axisTree   `yaml:"axes"`
	Methods []methodTree `yaml:"methods"`
}

type axisTree struct {
	Name    string   `yaml:"name"`
	Label   string   `yaml:"label"`
	Unit    string   `yaml:"unit"`
	Min     float64  `yaml:"min"`
	Max     float64  `yaml:"max"`
	Slew    float64  `yaml:"slew"`
	Neutral float64  `yaml:"neutral"`
	Stream  string   `yaml:"stream"`
	Set     []string `yaml:"set"`
}

type methodTree struct {
	Name   string   `yaml:"name"`
	Label  string   `yaml:"label"`
	Help   string   `yaml:"help"`
	Params any      `yaml:"params"` // as JSON, in its order, from the tree
	Result any      `yaml:"result"`
	Role   string   `yaml:"role"`
	Rate   float64  `yaml:"rate"`
	Lease  bool     `yaml:"lease"`
	Danger bool     `yaml:"danger"`
	Limit  string   `yaml:"limit"`
	Run    []string `yaml:"run"`
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
	_, err := s.control()
	return err
}

// control is what it says to an agent.
func (s *controlSection) control() (c agent.Control, err error) {
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
	if t.Exec == nil {
		return c, s.tree.Errorf(nil, "control says nothing of what is to be moved: want exec")
	}
	act, err := s.exec()
	if err != nil {
		return c, err
	}
	c.Actuators = []actuator.Actuator{act}
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

func (s *controlSection) exec() (*exec.Exec, error) {
	t, c := s.config.Exec, exec.Config{Safe: s.config.Exec.Safe}
	names := map[string]bool{}
	for i, x := range t.Axes {
		axis := rpc.Axis{
			ID: uint64(i + 1), Name: x.Name, Label: x.Label, Unit: x.Unit,
			Min: x.Min, Max: x.Max, Slew: x.Slew, Neutral: x.Neutral, Stream: x.Stream,
		}
		if err := firstOf(control.CheckAxis(axis), program("set", x.Set), twice(names, "axis "+x.Name)); err != nil {
			return nil, s.tree.Errorf([]string{"exec", "axes", strconv.Itoa(i)}, "axis %q: %w", x.Name, err)
		}
		c.Axes = append(c.Axes, exec.Axis{Axis: axis, Set: x.Set})
	}
	for i, m := range t.Methods {
		method, at, err := s.method(i, m)
		if at == nil {
			return nil, err
		}
		if err := firstOf(err, program("run", m.Run), twice(names, "method "+m.Name)); err != nil {
			return nil, s.tree.Errorf(at, "method %q: %w", m.Name, err)
		}
		c.Methods = append(c.Methods, exec.Method{Method: method, Run: m.Run})
	}
	act, err := exec.New(c)
	if err != nil {
		return nil, s.tree.Errorf([]string{"exec"}, "%w", err)
	}
	return act, nil
}

// method is one of the section's; with an error also where that is, or nil, where the error says it itself.
func (s *controlSection) method(i int, m methodTree) (method rpc.Method, at []string, err error) {
	at = []string{"exec", "methods", strconv.Itoa(i)}
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

func program(key string, argv []string) error {
	if len(argv) == 0 || argv[0] == "" {
		return fmt.Errorf(`%s is missing: the program and its arguments, such as [/usr/local/bin/motor, "{value}"]`, key)
	}
	return nil
}

func twice(known map[string]bool, name string) error {
	if known[name] {
		return errors.New("there is another one of this name")
	}
	known[name] = true
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
	if len(c.Actuators) == 0 {
		return c, nil
	}
	self, err := os.Executable()
	if err != nil {
		return c, fmt.Errorf("the guard process cannot be started: %w", err)
	}
	c.Guard = []string{self, guardName}
	return c, nil
}

func (s *controlSection) add(cmd *cobra.Command) {
	cmd.Flags().Var(s, "control", "YAML `file` that says what operators may do with this device (docs/control.md); in the configuration file, the key control holds the same")
}
