package control

import (
	"fmt"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// assemble makes one machine of what the actuators offer.
func (a *Authority) assemble() error {
	a.machine = rpc.Machine{
		Name: a.cfg.Name, Simulated: a.cfg.Simulated,
		DeadmanMS: uint64(a.cfg.Deadman.Milliseconds()), AgeMS: uint64(a.cfg.Age.Milliseconds()),
	}
	axes := map[string]uint64{}
	for _, act := range a.cfg.Actuators {
		h := newHand(a, act)
		a.hands = append(a.hands, h)
		if r, ok := act.(actuator.Reporter); ok {
			r.Report(a.applied, a.failed)
		}
		for _, x := range act.Axes() {
			if err := a.addAxis(h, x, axes); err != nil {
				return fmt.Errorf("control: axis %.64q: %w", x.Name, err)
			}
		}
		for _, m := range act.Methods() {
			if err := a.addMethod(h, m); err != nil {
				return fmt.Errorf("control: method %.64q: %w", m.Name, err)
			}
		}
	}
	if size := len(a.describe().Append(nil)); size > wire.MaxCommand {
		return fmt.Errorf("control: what can be done takes %d bytes to describe, more than %d: fewer methods, or shorter texts", size, wire.MaxCommand)
	}
	return nil
}

func (a *Authority) addAxis(h *hand, x rpc.Axis, known map[string]uint64) error {
	if err := checkAxis(x); err != nil {
		return err
	}
	for name, id := range known {
		if name == x.Name || id == x.ID {
			return fmt.Errorf("its name and its id %d must be its own: another one is %q, with id %d", x.ID, name, id)
		}
	}
	known[x.Name] = x.ID
	if x.Stream == "" {
		x.Stream = streams + x.Name
	}
	h.axes = append(h.axes, x.ID)
	a.machine.Axes = append(a.machine.Axes, x)
	return nil
}

func (a *Authority) addMethod(h *hand, m rpc.Method) error {
	if a.methods[m.Name] != nil {
		return fmt.Errorf("there is another one with this name")
	}
	out, err := newMethod(m, h)
	if err != nil {
		return err
	}
	a.methods[m.Name] = out
	a.machine.Methods = append(a.machine.Methods, out.Method)
	return nil
}

// describe is the machine's Outcome. The authority is locked, or not running yet.
func (a *Authority) describe() rpc.Outcome {
	m := a.machine
	return rpc.Outcome{Type: rpc.OutcomeMachine, Machine: &m, Moving: a.motion.moving}
}
