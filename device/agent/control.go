package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/control"
	"github.com/telepath-iot/telepath/device/disk"
)

// Control says what may be done with the device, by operators: package device/control. Without actuators it takes no commands.
type Control struct {
	Actuators []actuator.Actuator // what moves, and what may be called
	Name      string              // of the machine, for people; default ""
	Deadman   time.Duration       // default 300 ms, at least 100 ms: without a valid heartbeat for so long everything is made safe
	Age       time.Duration       // default 500 ms: how old what an operator has seen last may be
	Simulated bool                // nothing real moves
	Guard     control.Guard       // what makes things safe when this program cannot; default: nothing does
}

// openControl makes the authority, which keeps its journal in Dir/control.
func (a *Agent) openControl() error {
	c := a.config.Control
	if len(c.Actuators) == 0 {
		return nil
	}
	path := filepath.Join(a.config.Dir, "control")
	authority, err := control.New(control.Config{
		Name: c.Name, Actuators: c.Actuators, Deadman: c.Deadman, Age: c.Age, Simulated: c.Simulated,
		FS: disk.OS{Dir: path}, Sink: sink{a}, Guard: c.Guard, Log: a.config.Log,
	})
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	a.control = authority
	return nil
}

// runControl obeys commands until ctx ends, and returns when everything is safe.
func (a *Agent) runControl(ctx context.Context) error {
	if a.control == nil {
		<-ctx.Done()
		return nil
	}
	return a.control.Run(ctx)
}
